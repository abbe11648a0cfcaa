import { engineVersion } from "../commands/docker.ts";
import { isAtLeast } from "../commands/go.ts";
import { fail, ok, warn, type Check } from "./check.ts";

const OLDEST = "20.10";

export const engineCheck: Check = {
  name: "docker",
  run: async ({ machine, status }) => {
    const result = await machine.run(engineVersion());
    const version = result.stdout.trim();
    if (result.ok) {
      const number = /^\d+\.\d+(\.\d+)?/.exec(version)?.[0] ?? "0";
      return isAtLeast(number, OLDEST) ? ok(`engine ${version} answers`) : fail(`engine ${version}`, `older than ${OLDEST}`, "install a newer docker.io");
    }
    const found = result.stderr.trim().split("\n")[0] || "no docker command";
    if (status.placement === "local") return warn(found, "the site runs without it, as processes of this host", "nothing, if that is what you want; else npm run setup");
    return fail(found, "the engine is not installed, does not run, or may not be used by this user", "npm run setup as root");
  },
};
