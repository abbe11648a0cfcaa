import { fetchServiceRuntime } from "../../images/service-runtime.ts";
import type { SiteSettings } from "../../stacks/settings.ts";
import { siteFolder } from "../../stacks/site-folder.ts";
import { engineVersion } from "../commands/docker.ts";
import type { Machine } from "../core/machine.ts";
import { certificateNames } from "../core/names.ts";
import { baseImageStep } from "./base-image.ts";
import { dockerStep } from "./docker.ts";
import { COMPILER_NEED, DOCKER_NEED, NGINX_NEED, OPENSSL_NEED, packagesStep, TEST_NEED } from "./packages.ts";
import { providerStep } from "./provider.ts";
import { ensureSecrets } from "./site-files.ts";
import { found, made, type Step } from "./step.ts";
import { storeStep } from "./store.ts";
import { terraformStep } from "./terraform.ts";
import { ensureTls } from "./tls-files.ts";

/** What a deployment to Docker needs. The provider stands first: it may take minutes, beside all the rest. */
export async function dockerSteps(machine: Machine, settings: SiteSettings, forTests = false): Promise<readonly Step[]> {
  const hasEngine = (await machine.run(engineVersion())).ok;
  const needs = [...(hasEngine ? [] : [DOCKER_NEED]), ...(settings.tls.kind === "selfSigned" ? [OPENSSL_NEED] : [])];
  return [
    packagesStep(machine, forTests ? [...needs, OPENSSL_NEED, NGINX_NEED, COMPILER_NEED, TEST_NEED] : needs),
    providerStep(machine),
    terraformStep(machine),
    dockerStep(machine),
    baseImageStep(machine, settings.images.base),
    ...(settings.application === null ? [runtimeStep()] : []),
    ...(settings.storage.place.kind === "bind" ? [storeStep(machine, settings.storage.place.path, settings.storage)] : []),
    ...siteFileSteps(machine, settings),
  ];
}

/** What host processes need: nginx, a compiler for its module, openssl for the certificate. */
export const localSteps = (machine: Machine): readonly Step[] => [packagesStep(machine, [NGINX_NEED, COMPILER_NEED, OPENSSL_NEED])];

/** The Node that runs the service in its container. */
const runtimeStep = (): Step => ({
  name: "node runtime",
  after: [],
  run: async (report) => {
    const slow = setTimeout(() => report.begin("fetching Node for the service's image from the npm registry"), 1_000);
    try {
      return found(await fetchServiceRuntime());
    } finally {
      clearTimeout(slow);
    }
  },
});

/** The site's secrets and, where it has a CA of its own, its certificates. */
function siteFileSteps(machine: Machine, settings: SiteSettings): readonly Step[] {
  const folder = siteFolder(settings.name);
  const owner = settings.storage;
  const secrets: Step = {
    name: "secrets",
    after: [],
    run: async () => ((await ensureSecrets(folder, owner)) ? made(`made the site's secret in ${folder}/secrets`) : found("the site's secret is there")),
  };
  const tls: Step = {
    name: "certificate",
    after: ["packages", "secrets"],
    run: async () => {
      const what = await ensureTls(machine.run, folder, settings.name, certificateNames(settings), owner);
      return what === undefined ? found("the site's certificate is good") : made(`${what}, in ${folder}/tls`);
    },
  };
  return settings.tls.kind === "selfSigned" ? [secrets, tls] : [secrets];
}
