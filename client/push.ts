/** `slipway push`: from flags to files at the site. */
import { stateFolder } from "./send/state.ts";
import { openSite, type Site } from "./send/site.ts";
import { counted, type Summary } from "./display.ts";
import { type ExitCode, exitCodeOf } from "./exit-codes.ts";
import type { PushFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { type Listed, ManifestError, parseManifest } from "./manifest.ts";
import { type Plan, planFiles } from "./plan.ts";
import { Json } from "./report/json.ts";
import { Lines } from "./report/lines.ts";
import type { Outputs, Report } from "./report/report.ts";
import { Terminal } from "./report/terminal.ts";
import { Run } from "./run.ts";
import { proxyFor, readNamed, readToken } from "./surroundings.ts";
import { UsageError } from "./usage.ts";
import { writeManifest } from "./write-manifest.ts";

/** @returns the exit code. @throws UsageError */
export async function push(flags: PushFlags, io: Io): Promise<ExitCode> {
  const report = reportOf(flags, io);
  const plan = flags.files[0] === "-" ? undefined : await planFiles(flags.files, io.folder, { ...flags, manifest: await readManifest(flags, io) });
  if (plan !== undefined) {
    if (flags.dryRun) return showPlan(plan, flags, io, report);
    report.planned(plan, flags.url.host);
    if (plan.unreadable.length > 0 && !flags.skipUnreadable) {
      report.stopped("Nothing was sent. Add --skip-unreadable to send the others.");
      return 6;
    }
  }
  const site = await connect(flags, io, report);
  const start = performance.now();
  const run = new Run(site, flags, io, report);
  try {
    if (plan === undefined) await run.sendInput();
    else await run.sendFiles(plan.files);
  } finally {
    await site.close();
  }
  const summary = summaryOf(run, plan, io, performance.now() - start);
  report.summary(summary, adviceFor(summary, site, plan === undefined));
  if (flags.writeManifest !== undefined) await writeManifest(flags.writeManifest, run.arrived, io);
  return summary.exitCode;
}

function reportOf(flags: PushFlags, io: Io): Report {
  // The manifest on stdout has nothing else beside it.
  const outputs: Outputs = flags.writeManifest === "-" ? { out: io.err, err: io.err } : io;
  if (flags.json) return new Json(outputs);
  return io.columns === undefined || flags.quiet ? new Lines(outputs, flags.quiet) : new Terminal(outputs, io.columns);
}

async function readManifest({ manifest }: PushFlags, { folder }: Io): Promise<readonly Listed[] | undefined> {
  if (manifest === undefined) return undefined;
  const text = (await readNamed("--manifest", manifest, folder)).toString("utf8");
  try {
    return parseManifest(text);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new UsageError(`push: --manifest ${manifest}: ${error.message}`);
  }
}

function showPlan(plan: Plan, { url, json }: PushFlags, io: Io, report: Report): ExitCode {
  report.planned(plan, url.host);
  for (const { argument, name, size } of plan.files) io.out(json ? `${JSON.stringify({ file: argument, name, size })}\n` : `${name}\n`);
  return plan.unreadable.length > 0 ? 6 : 0;
}

async function connect(flags: PushFlags, io: Io, report: Report): Promise<Site> {
  const { url, rate, caFile } = flags;
  const ca = caFile === undefined ? undefined : await readNamed("--cacert", caFile, io.folder);
  const token = await readToken(flags, io.env, io.folder, io.ask);
  const proxy = proxyFor(url, io.env);
  return openSite({
    url,
    stateFolder: stateFolder(),
    onNote: (text) => report.note(text),
    ...(ca === undefined ? {} : { ca }),
    ...(token === undefined ? {} : { token }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(rate === undefined ? {} : { rateBytesPerSecond: rate }),
  });
}

function summaryOf(run: Run, plan: Plan | undefined, { signal }: Io, ms: number): Summary {
  const unreadable = plan?.unreadable.length ?? 0;
  const kinds = [...run.failures, ...Array<"local">(unreadable).fill("local"), ...(signal.aborted ? ["aborted" as const] : [])];
  return {
    files: (plan?.files.length ?? 1) + unreadable,
    arrived: run.arrived.length,
    bytes: run.arrived.reduce((sum, { size }) => sum + size, 0),
    failed: run.failures.filter((kind) => kind !== "aborted").length + unreadable,
    unreadable,
    skipped: plan?.skipped.length ?? 0,
    before: run.before,
    ms,
    exitCode: exitCodeOf(kinds),
  };
}

/** What to do when the run was stopped; empty when it was not. */
function adviceFor({ exitCode, arrived, before }: Summary, { resumable }: Site, isInput: boolean): string {
  const known = before > 0 ? `${counted(before)} had arrived before and ${before === 1 ? "was" : "were"} left out; --again sends them.` : "";
  if (exitCode !== 130) return known;
  if (isInput) return "Stopped. What comes from standard input cannot go on; begin it anew.";
  const on = resumable ? "it goes on where it stopped" : "files that were under way begin anew, as this site cannot go on";
  return `Stopped${arrived > 0 ? ` after ${counted(arrived)}` : ""}. Run the same command again: ${on}.`;
}
