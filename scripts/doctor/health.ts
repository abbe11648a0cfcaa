import { fail, ok, warn, type Check } from "./check.ts";

export const healthCheck: Check = {
  name: "health",
  run: async ({ status }) => {
    if (status.placement === null) return warn("the site is not up", "it has not been brought up, or was taken down", "npm run up");
    return status.healthy ? ok(`${status.url} ${status.health}`) : fail(status.health, "nginx, the service, the database or the store is not well; the lines above say which", "npm run up; then the logs named in README.md");
  },
};
