import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { curlBody, type OursSettings } from "../contestants/ours.ts";
import { timedCurl } from "../curl.ts";
import { compareStored, plainFiles, writeRandom, writeSparse } from "../ground.ts";
import { formContentType, type PartKind, SMALL_FILE, writeForm } from "../many-parts.ts";
import { RANGE_BYTES, sendRanges } from "../many-ranges.ts";
import { withModule, withPeak } from "../module-run.ts";
import { Entry, type Outcome, runRounds } from "../rounds.ts";
import type { Session } from "../session.ts";

/** What grows. */
export const AXES = ["size", "parts", "fields", "ranges"] as const;
export type Axis = (typeof AXES)[number];

export interface GrowthRun {
  readonly round: number;
  readonly seconds: number;
  /** Rise of the worker's resident memory; left out where there is no worker. */
  readonly peakBytes?: number;
}

export interface GrowthPoint extends Outcome<GrowthRun> {
  /** Bytes on the axis `size`, else a count. */
  readonly x: number;
}

export interface GrowthSeries {
  readonly axis: Axis;
  readonly name: string;
  readonly points: readonly GrowthPoint[];
}

export interface GrowthReport {
  readonly suite: "growth";
  readonly series: readonly GrowthSeries[];
}

const MIB = 1024 ** 2;

/** `from`, and each `factor` times the one before, up to `to`, which is the last. */
export function steps(from: number, to: number, factor: number): number[] {
  const result: number[] = [];
  for (let x = from; x < to; x *= factor) result.push(x);
  return [...result, to];
}

/** One upload, timed: by curl's own clock, as its start would hide the short ones. */
type Measure = (session: Session, x: number, round: number) => Promise<GrowthRun>;

const bySize = (settings: OursSettings): Measure => async (session, x, round) => {
  const input = join(session.ground.folder, `sparse-${x}.bin`);
  await writeSparse(input, x);
  try {
    return await withModule(session, settings, async (nginx, store) => {
      const { result, peakBytes } = await withPeak(nginx, () => timedCurl([...curlBody(settings.entrance, input), `${nginx.origin}/upload`]));
      await compareStored(store, input, x);
      return { round, seconds: result.transferSeconds, peakBytes };
    });
  } finally {
    await rm(input);
  }
};

const byParts = (kind: PartKind): Measure => async (session, x, round) => {
  const [body, sample] = [join(session.ground.folder, `form-${kind}-${x}.bin`), join(session.ground.folder, "small.txt")];
  await writeForm(body, kind, x);
  await writeFile(sample, SMALL_FILE);
  // Room for what is passed on, which the default limit of 100k has not.
  const more = 'upload_pass_form_field ""; upload_max_output_body_len 64m;';
  return withModule(session, { entrance: "form", digest: "none", sync: false, more }, async (nginx, store) => {
    const args = ["-X", "POST", "-H", `Content-Type: ${formContentType}`, "-T", body, `${nginx.origin}/upload`];
    const { result, peakBytes } = await withPeak(nginx, () => timedCurl(args));
    await compareStored(store, sample, SMALL_FILE.length, kind === "files" ? x : 0);
    return { round, seconds: result.transferSeconds, peakBytes };
  });
};

/** As many files without any server, to tell the file system's cost from the module's. */
const plain: Measure = async (session, x, round) => {
  const { folder, store } = await session.ground.place("plain");
  const sample = join(folder, "small.txt");
  await writeFile(sample, SMALL_FILE);
  return { round, seconds: await plainFiles(store, x, SMALL_FILE.length, sample) };
};

const byRanges: Measure = async (session, x, round) => {
  const input = join(session.ground.folder, "ranges.bin");
  await writeRandom(input, x * RANGE_BYTES);
  const settings = { entrance: "form", digest: "none", sync: false, resumable: true } as const;
  return withModule(session, settings, async (nginx, store) => {
    const { result, peakBytes } = await withPeak(nginx, () => sendRanges(`${nginx.origin}/upload`, input, x));
    await compareStored(store, input, x * RANGE_BYTES);
    return { round, seconds: result, peakBytes };
  });
};

/** Every line of the charts. */
const LINES: readonly { readonly axis: Axis; readonly name: string; readonly measure: Measure }[] = [
  { axis: "size", name: "form", measure: bySize({ entrance: "form", digest: "none", sync: false }) },
  { axis: "size", name: "form sha256", measure: bySize({ entrance: "form", digest: "sha256", sync: false }) },
  { axis: "size", name: "raw", measure: bySize({ entrance: "raw", digest: "none", sync: false }) },
  { axis: "parts", name: `files of ${SMALL_FILE.length} bytes`, measure: byParts("files") },
  { axis: "parts", name: "files without a server", measure: plain },
  { axis: "fields", name: "fields passed on", measure: byParts("fields") },
  { axis: "ranges", name: `ranges of ${RANGE_BYTES / 1024} KiB`, measure: byRanges },
];

/** Cost against what grows, each point with a new nginx. */
export async function runGrowth(session: Session): Promise<GrowthReport> {
  const { only, maxSizeBytes, maxCount } = session.options;
  const lines = LINES.filter(({ axis, name }) => only.test(`${axis} ${name}`)).map(({ axis, name, measure }) => ({
    axis,
    name,
    points: (axis === "size" ? steps(Math.min(MIB, maxSizeBytes), maxSizeBytes, 4) : steps(1, maxCount, 2)).map((x) => ({
      x,
      entry: new Entry(
        session,
        `${axis} ${name}, ${x}`,
        (round) => measure(session, x, round),
        (run: GrowthRun) => `${(run.seconds * 1e3).toFixed(1)} ms${run.peakBytes === undefined ? "" : `, memory +${(run.peakBytes / MIB).toFixed(2)} MiB`}`,
      ),
    })),
  }));
  await runRounds(session, lines.flatMap(({ points }) => points.map(({ entry }) => entry)));
  return {
    suite: "growth",
    series: lines.map(({ axis, name, points }) => ({ axis, name, points: points.map(({ x, entry }) => ({ x, ...entry.outcome })) })),
  };
}
