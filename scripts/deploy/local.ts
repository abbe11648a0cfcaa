import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadProps } from "../../stacks/load-site.ts";
import type { SiteSettings } from "../../stacks/settings.ts";
import { siteFolder } from "../../stacks/site-folder.ts";
import type { Log } from "../core/log.ts";
import type { Machine } from "../core/machine.ts";
import { checkout } from "../core/paths.ts";
import { Problem } from "../core/problem.ts";
import { waitForHealth } from "../core/health.ts";
import { hashOfProps, localRoot, localStateFile, readLocalState, removeLocalState, type LocalState } from "../local/state.ts";
import { localSteps } from "../steps/all.ts";
import { found, made, runSteps, type Step } from "../steps/step.ts";
import { probeStep } from "./probe.ts";
import { stopLocalStep } from "./remove.ts";
import { hasService, targetOf, type Target } from "./target.ts";

const START_TIMEOUT_MS = 180_000;
const HEALTH_TIMEOUT_MS = 30_000;

/** Brings the site up as host processes that go on in the background, and tries it. */
export async function deployLocally(machine: Machine, settings: SiteSettings, log: Log): Promise<Target> {
  await runSteps(localSteps(machine), log);
  const changes = await runSteps([startStep(machine, settings)], log);
  const state = await mustRead(settings.name);
  const target = await targetOf("local", settings, state.port, state.caFile);
  await waitForHealth(target.address, hasService(target), HEALTH_TIMEOUT_MS);
  if (hasService(target)) await runSteps([probeStep(target, changes.length > 0)], log);
  return target;
}

const startStep = (machine: Machine, settings: SiteSettings): Step => ({
  name: "start",
  after: [],
  run: async (report) => {
    const running = await readLocalState(settings.name);
    if (running !== undefined) {
      if (running.props === hashOfProps(await loadProps())) return found(`runs already (process ${running.pid})`);
      report.begin("the site's settings changed; stopping what runs");
      await stopLocalStep(settings).run(report);
    }
    report.begin("starting nginx and the service in the background");
    const { logFile, exited } = await startInBackground(machine, settings);
    const end = performance.now() + START_TIMEOUT_MS;
    while ((await readLocalState(settings.name)) === undefined) {
      if (exited() || performance.now() > end) throw new Problem(`start: the site did not come up; the end of ${logFile}:\n${lastLines(logFile)}`);
      await sleep(100);
    }
    return made(`nginx and the service run in the background; log in ${logFile}`);
  },
});

async function startInBackground(machine: Machine, settings: SiteSettings): Promise<{ logFile: string; exited: () => boolean }> {
  const folder = siteFolder(settings.name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeLocalState(localStateFile(settings.name));
  const logFile = join(folder, "local.log");
  const output = openSync(logFile, "a", 0o600);
  const { httpsPort, httpPort } = settings.listen;
  const args = [
    "--import", "tsx", join(checkout, "scripts", "local.ts"), "--port", String(httpsPort), ...(httpPort === false ? [] : ["--http-port", String(httpPort)]),
    "--root", localRoot(settings.name, machine.host.isRoot), "--state", localStateFile(settings.name),
  ];
  const child = spawn(process.execPath, args, { cwd: checkout, detached: true, stdio: ["ignore", output, output] });
  child.unref();
  return { logFile, exited: () => child.exitCode !== null || child.signalCode !== null };
}

async function mustRead(siteName: string): Promise<LocalState> {
  const state = await readLocalState(siteName);
  if (state === undefined) throw new Problem("start: the site ended right after it had started; run npm run local to see why");
  return state;
}

const lastLines = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-12).join("\n") : "");
