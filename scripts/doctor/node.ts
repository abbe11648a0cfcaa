import { isAtLeast } from "../commands/go.ts";
import { fail, ok, type Check } from "./check.ts";

const OLDEST = "20.19.0";

export const nodeCheck: Check = {
  name: "node",
  run: async () => {
    const { node } = process.versions;
    return isAtLeast(node, OLDEST) ? ok(`Node ${node}`) : fail(`Node ${node}`, `the project needs ${OLDEST} or newer`, "install a current Node (20, 22 or 24)");
  },
};
