import { findTerraform } from "../steps/terraform.ts";
import { ok, warn, type Check } from "./check.ts";

export const terraformCheck: Check = {
  name: "terraform",
  run: async ({ machine }) => {
    const binary = await findTerraform(machine);
    return binary === undefined ? warn("neither terraform nor tofu", "a deployment needs one of them", "npm run setup") : ok(binary);
  },
};
