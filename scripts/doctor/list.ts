import { baseImageCheck } from "./base-image.ts";
import { certificateCheck } from "./certificate.ts";
import type { Check, Finding, Subject } from "./check.ts";
import { fail } from "./check.ts";
import { containersCheck } from "./containers.ts";
import { diskCheck } from "./disk.ts";
import { engineCheck } from "./engine.ts";
import { healthCheck } from "./health.ts";
import { nodeCheck } from "./node.ts";
import { portsCheck } from "./ports.ts";
import { providerCheck } from "./provider.ts";
import { storeCheck } from "./store.ts";
import { terraformCheck } from "./terraform.ts";

/** All checks: the host first, then the site. */
export const CHECKS: readonly Check[] = [
  nodeCheck, engineCheck, terraformCheck, providerCheck, baseImageCheck,
  portsCheck, certificateCheck, containersCheck, storeCheck, diskCheck, healthCheck,
];

/** Runs every check; one that breaks is a finding too. */
export async function runChecks(subject: Subject, checks: readonly Check[] = CHECKS): Promise<readonly (readonly [string, Finding])[]> {
  return Promise.all(
    checks.map(async ({ name, run }) => {
      const finding = await run(subject).catch((error: unknown) => fail("the check itself failed", (error as Error).message, "run it again with SLIPWAY_VERBOSE=1"));
      return [name, finding] as const;
    }),
  );
}
