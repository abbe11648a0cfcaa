import { imageId } from "../commands/docker.ts";
import { ok, warn, type Check } from "./check.ts";

export const baseImageCheck: Check = {
  name: "base image",
  run: async ({ machine, settings, status }) => {
    const { base } = settings.images;
    if (status.placement === "local" || (await machine.run(imageId(base))).ok) return ok(status.placement === "local" ? "not needed by host processes" : `${base} is there`);
    return warn(`${base} is missing`, "the next build of an image needs it", "npm run setup");
  },
};
