import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withoutDocker } from "../helpers/e2e-docker.ts";
import { compileStrictly, gone, newest, programOf, trixie } from "../helpers/trixie.ts";

const sources = readdirSync(join(import.meta.dirname, "../../module/src")).filter((name) => name.endsWith(".c")).sort();

describe("module: compiled with -Wall -Wextra -Werror", { timeout: 900_000 }, () => {
  it("against this host's nginx", async () => {
    expect(await compileStrictly()).toEqual(sources);
  });
});

const missing = withoutDocker();
for (const release of [trixie, newest]) {
  const reason = missing ?? (await gone(release));
  describe.skipIf(reason)(`module: compiled with -Wall -Wextra -Werror, nginx of Debian ${release.name}${reason ? ` (skipped: ${reason})` : ""}`, { timeout: 900_000 }, () => {
    it(release.version, async () => {
      const program = await programOf(release);
      expect(program.name).toBe(`nginx ${release.version}`);
      expect(program.compiled).toEqual(sources);
    });
  });
}
