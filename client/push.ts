/** `slipway push`: from flags to files at the site. */
import { checkAddress } from "./address.ts";
import { counted, printable, type Summary } from "./display.ts";
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
import type { SendFailure } from "./send/answer.ts";
import { openSite, type Site } from "./send/site.ts";
import { SendError } from "./send/source.ts";
import { stateFolder } from "./send/state.ts";
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
  report.summary(summary, adviceFor(summary, end));
  if (flags.writeManifest !== undefined) await writeManifest(flags.writeManifest, [...before, ...end.arrived], io);
  return summary.exitCode;
}

async function pushInput(flags: PushFlags, io: Io, report: Report): Promise<ExitCode> {
  const end = await runAt(flags, io, report, (run) => run.sendInput());
  const summary = summaryOf(end, { files: [undefined], unreadable: [], skipped: [] }, 0, io);
  report.summary(summary, summary.exitCode === 130 ? "Stopped. What comes from standard input cannot go on; begin it anew." : "");
  if (flags.writeManifest !== undefined) await writeManifest(flags.writeManifest, end.arrived, io);
  return summary.exitCode;
}

/** A run that is over. */
interface End extends Pick<Run, "arrived" | "failures" | "resumed"> {
  /** Why the site took nothing, or no more. @default it took all that it was given */
  readonly missing?: SendFailure | undefined;
  /** Whether there was a site to begin with. */
  readonly begun: boolean;
  readonly resumable: boolean;
  readonly ms: number;
}

async function runAt(flags: PushFlags, io: Io, report: Report, work: (run: Run) => Promise<void>): Promise<End> {
  const site = await connect(flags, io, report);
  if ("kind" in site) {
    // Whoever stopped it knows.
    if (site.kind !== "aborted") report.unreached(site);
    return { arrived: [], failures: [], resumed: 0, missing: site, begun: false, resumable: true, ms: 0 };
  }
  const start = performance.now();
  try {
    checkAddress(flags.url, site.uploadPath);
    const run = new Run(site, flags, io, report);
    await work(run);
    if (run.lost !== undefined) report.lost(run.lost);
    return { arrived: run.arrived, failures: run.failures, resumed: run.resumed, missing: run.lost, begun: true, resumable: site.resumable, ms: performance.now() - start };
  } finally {
    await site.close();
  }
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
  for (const { argument, name, size } of plan.files) io.out(json ? `${JSON.stringify({ file: argument, name, size })}\n` : `${printable(name)}\n`);
  return plan.unreadable.length > 0 ? 6 : 0;
}

/** @returns the site, or why it cannot be reached. @throws {UsageError} */
async function connect(flags: PushFlags, io: Io, report: Report): Promise<Site | SendFailure> {
  const { url, rate, caFile } = flags;
  const ca = caFile === undefined ? undefined : await readNamed("--cacert", caFile, io.folder);
  const token = await readToken(flags, io.env, io.folder, io.ask);
  const proxy = proxyFor(url, io.env);
  const opened = openSite({
    url,
    signal: io.signal,
    stateFolder: stateFolder(),
    onNote: (text) => report.note(text),
    ...(ca === undefined ? {} : { ca }),
    ...(token === undefined ? {} : { token }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(rate === undefined ? {} : { rateBytesPerSecond: rate }),
  });
  return opened.catch((error: unknown) => {
    if (error instanceof SendError) return error.failure;
    throw error;
  });
}

function summaryOf({ arrived, failures, resumed, missing, ms }: End, plan: { readonly [K in keyof Plan]: readonly unknown[] }, before: number, { signal }: Io): Summary {
  const unreadable = plan.unreadable.length;
  const kinds = [...failures, ...(missing === undefined ? [] : [missing.kind]), ...Array<"local">(unreadable).fill("local"), ...(signal.aborted && arrived.length < plan.files.length ? ["aborted" as const] : [])];
  return {
    files: plan.files.length + unreadable,
    arrived: arrived.length,
    bytes: arrived.reduce((sum, { size }) => sum + size, 0),
    resumed,
    failed: failures.filter((kind) => kind !== "aborted").length + unreadable,
    unreadable,
    skipped: plan.skipped.length,
    before,
    ms,
    exitCode: exitCodeOf(kinds),
  };
}

/** How to go on after a stop, or when the site is back; empty where there is nothing to go on with. */
function adviceFor({ arrived, exitCode }: Summary, { missing, begun, resumable }: End): string {
  const isStopped = exitCode === 130;
  if (!isStopped && !(begun && missing !== undefined)) return "";
  const on = resumable ? "it goes on where it stopped" : "files that were under way begin anew, as this site cannot go on";
  const stopped = isStopped ? `Stopped${arrived > 0 ? ` after ${counted(arrived)}` : ""}. ` : "";
  const when = missing?.status === 507 ? " when the site has room again" : " when the site is back";
  return `${stopped}Run the same command again${isStopped ? "" : when}: ${on}.`;
}
