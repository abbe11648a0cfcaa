import { containerLogs } from "../commands/docker.ts";
import { lastLines } from "../core/run.ts";
import { fail, ok, type Check } from "./check.ts";

const LOG_LINES = 5;

export const containersCheck: Check = {
  name: "containers",
  run: async ({ machine, status, settings }) => {
    if (status.containers === undefined) return ok(status.placement === "local" ? "none; the site runs as processes of this host" : "none; the site is not up");
    const wanted = settings.application === null ? [`${settings.name}-nginx`, `${settings.name}-service`] : [`${settings.name}-nginx`];
    const missing = wanted.filter((name) => !status.containers!.some((container) => container.name === name));
    if (missing.length > 0) return fail(`${missing.join(" and ")} missing`, "it was removed by hand, or a deploy failed", "npm run up");
    const ill = status.containers.find(({ status: state }) => !state.startsWith("Up") || state.includes("unhealthy"));
    if (ill === undefined) return ok(status.containers.map(({ name, status: state }) => `${name} ${state}`).join(", "));
    const said = lastLines(await machine.run(containerLogs(ill.name, LOG_LINES)), LOG_LINES).replaceAll("\n", "\n             ");
    return fail(`${ill.name}: ${ill.status}`, said || "it says nothing", `docker logs ${ill.name}; then npm run up`);
  },
};
