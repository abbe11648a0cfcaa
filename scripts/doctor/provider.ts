import { existsSync } from "node:fs";
import { mirrorPaths, PROVIDER_VERSION, registryAnswers } from "../steps/provider.ts";
import { ok, warn, type Check } from "./check.ts";

export const providerCheck: Check = {
  name: "provider",
  run: async ({ machine }) => {
    const there = mirrorPaths(machine.host.architecture).find((path) => existsSync(path));
    if (there !== undefined) return ok(`docker ${PROVIDER_VERSION} is in the local mirror`);
    if (await registryAnswers()) return ok(`docker ${PROVIDER_VERSION} comes from the registry`);
    return warn(`docker ${PROVIDER_VERSION} is not in the local mirror, and the registry does not answer`, "a deployment needs the provider", "npm run setup");
  },
};
