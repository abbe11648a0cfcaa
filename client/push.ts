/** `slipway push`: from flags to files at the site. */
import { stateFolder } from "./send/state.ts";
import { openSite, type Site } from "./send/site.ts";
import { counted, type Summary } from "./display.ts";
import { type ExitCode, exitCodeOf } from "./exit-codes.ts";
import type { PushFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { Journal } from "./journal.ts";
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
  if (flags.files[0] === "-") return pushInput(flags, io, report);
  const manifest = await readManifest(flags, io);
  const plan = await planFiles(flags.files, io.folder, { ...flags, manifest });
  if (flags.dryRun) return showPlan(plan, flags, io, report);
  const journal = new Journal(stateFolder(), flags.url, flags.files.length > 0 ? flags.files : [flags.manifest ?? ""], io.folder);
  const { before, open } = flags.again ? { before: [], open: plan.files } : await journal.divide(plan.files);
  report.planned({ ...plan, files: open }, flags.url.host);
  if (before.length > 0) report.note(`${counted(before.length)} arrived in an earlier run and ${before.length === 1 ? "is" : "are"} left out; --again sends them`);
  if (plan.unreadable.length > 0 && !flags.skipUnreadable) {
    report.stopped(open.length === 0 ? "Nothing was sent." : "Nothing was sent. Add --skip-unreadable to send the others.");
    return 6;
  }
  const end = await runAt(flags, io, report, (run) => run.sendFiles(open, journal));
  const summary = summaryOf(end, { ...plan, files: open }, before.length, io);
  await journal.close(summary.exitCode === 0);
  report.summary(summary, summary.exitCode === 130 ? stoppedText(summary, end.resumable) : "");
  if (flags.writeManifest !== undefined) await writeManifest(flags.writeManifest, [...before, ...end.run.arrived], io);
  return summary.exitCode;
}

async function pushInput(flags: PushFlags, io: Io, report: Report): Promise<ExitCode> {
  const end = await runAt(flags, io, report, (run) => run.sendInput());
  const summary = summaryOf(end, { files: [undefined], unreadable: [], skipped: [] }, 0, io);
  report.summary(summary, summary.exitCode === 130 ? "Stopped. What comes from standard input cannot go on; begin it anew." : "");
  if (flags.writeManifest !== undefined) await writeManifest(flags.writeManifest, end.run.arrived, io);
  return summary.exitCode;
}

/** A run that is over. */
interface End {
  readonly run: Run;
  readonly resumable: boolean;
  readonly ms: number;
}

async function runAt(flags: PushFlags, io: Io, report: Report, work: (run: Run) => Promise<void>): Promise<End> {
  const site = await connect(flags, io, report);
  const start = performance.now();
  const run = new Run(site, flags, io, report);
  try {
    await work(run);
  } finally {
    await site.close();
  }
  return { run, resumable: site.resumable, ms: performance.now() - start };
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

function summaryOf({ run, ms }: End, plan: { readonly [K in keyof Plan]: readonly unknown[] }, before: number, { signal }: Io): Summary {
  const unreadable = plan.unreadable.length;
  const kinds = [...run.failures, ...Array<"local">(unreadable).fill("local"), ...(signal.aborted && run.arrived.length < plan.files.length ? ["aborted" as const] : [])];
  return {
    files: plan.files.length + unreadable,
    arrived: run.arrived.length,
    bytes: run.arrived.reduce((sum, { size }) => sum + size, 0),
    failed: run.failures.filter((kind) => kind !== "aborted").length + unreadable,
    unreadable,
    skipped: plan.skipped.length,
    before,
    ms,
    exitCode: exitCodeOf(kinds),
  };
}

/** How to go on after a stop. */
function stoppedText({ arrived }: Summary, resumable: boolean): string {
  const on = resumable ? "it goes on where it stopped" : "files that were under way begin anew, as this site cannot go on";
  return `Stopped${arrived > 0 ? ` after ${counted(arrived)}` : ""}. Run the same command again: ${on}.`;
}
