import { rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { json, records, type RecordView, send, type UploadAnswer } from "../helpers/e2e-client.ts";
import { docker, logObjects, peakMemoryMiB, processes, volumeFolder, withoutDocker } from "../helpers/e2e-docker.ts";
import { filesBelow, freeBytes, remove, sha256OfFile, temporaryFolder, wrongModes, writeRandomFile } from "../helpers/e2e-files.ts";
import { pythonPackages, withoutPython } from "../helpers/e2e-python.ts";
import { deployDockerSite, type DeployedSite } from "../helpers/e2e-site.ts";
import { bytesRead } from "../helpers/proc.ts";
import { leastOf } from "../helpers/steady.ts";

const MiB = 1024 * 1024;
const BIG = 4096 * MiB;
const SMALL = 16 * MiB;
/** The file, one stored copy of it, and the images. */
const NEEDED = 2 * BIG + 3072 * MiB;
/** What nginx and the service may each use at their peak. */
const MOST_MEMORY_MIB = 100;
/** What the service may read while a file of any size is completed: forms, answers, its own modules. */
const MOST_BYTES_READ = 8 * MiB;
/** How much longer than for 16 MiB the answer may take for 4 GiB beside fsync; to copy or hash 4 GiB again takes seconds. */
const MOST_EXTRA_MS = 250;

function reasonToSkip(): string | undefined {
  if (freeBytes("/tmp") < NEEDED) return `${Math.round(NEEDED / MiB)} MiB of free disk are needed, ${Math.round(freeBytes("/tmp") / MiB)} MiB are there`;
  return withoutDocker();
}
const reason = reasonToSkip();

interface Uploaded {
  readonly answer: UploadAnswer;
  /** Milliseconds between the client's last byte and the answer, as far as the client can tell. */
  readonly waitedMs: number | undefined;
}

describe.skipIf(reason !== undefined)(`a file of 4 GiB on a deployed site${reason === undefined ? "" : `: skipped, ${reason}`}`, () => {
  let site: DeployedSite;
  let store: string;
  let sha256: string;
  let folder: string;
  let file: string;

  beforeAll(async () => {
    folder = temporaryFolder();
    file = join(folder, "big.bin");
    [site, sha256] = await Promise.all([deployDockerSite(), writeRandomFile(file, BIG)]);
    store = await volumeFolder(site.dataVolume);
  }, 600_000);
  afterAll(async () => {
    remove(folder);
    await site?.remove();
  }, 120_000);

  async function curl(version: "--http1.1" | "--http2", path: string): Promise<Uploaded> {
    const { stdout } = await execa("curl", [
      ...["--silent", "--show-error", version, "--cacert", site.caFile, "--max-time", "300"],
      ...["--form", `file=@${path}`, "--form", "terminal=yes", "--write-out", "\n%{http_code} %{http_version}", `${site.url}/upload`],
    ]);
    const [body = "", code = ""] = stdout.split("\n");
    expect(code, body).toBe(`200 ${version === "--http2" ? "2" : "1.1"}`);
    return { answer: JSON.parse(body) as UploadAnswer, waitedMs: undefined };
  }

  async function python(path: string): Promise<Uploaded> {
    const packages = await pythonPackages("python");
    const { stdout } = await execa("python3", [join(import.meta.dirname, "../fixtures/python/upload.py"), `${site.url}/upload`, site.caFile, path, "description=from Python"], {
      env: { PYTHONPATH: packages },
    });
    const { body, waited } = JSON.parse(stdout) as { body: string; waited: number };
    return { answer: JSON.parse(body) as UploadAnswer, waitedMs: waited * 1000 };
  }

  /** What the service's log says of one completed upload. */
  async function loggedTimes(id: string): Promise<{ fsyncMs: number; completeMs: number }> {
    const line = (await logObjects(site.service)).find((entry) => JSON.stringify(entry["ids"] ?? entry["id"] ?? "").includes(id) && "fsyncMs" in entry);
    if (line === undefined) throw new Error(`${site.service}: no log line with the times of ${id}`);
    return line as { fsyncMs: number; completeMs: number } & typeof line;
  }

  /** The digest in the answer, in the record and of the file on the disk are the file's own; every mode is exact. */
  async function expectStored({ answer }: Uploaded): Promise<void> {
    expect(answer).toMatchObject({ message: "Upload Complete", size: BIG, checksums: { sha256 } });
    const record = json<RecordView>(await send(site, `/api/uploads/${answer.id}`, { headers: { accept: "application/json" } }));
    expect(record).toMatchObject({ id: answer.id, size: BIG, state: "complete", checksums: { sha256 } });

    expect(filesBelow(join(store, "incoming"))).toEqual([]);
    const stored = filesBelow(join(store, "files")).filter((path) => path.includes(answer.id));
    expect(stored).toEqual([expect.stringMatching(new RegExp(`^\\d{4}-\\d\\d-\\d\\d/${answer.id}/big\\.bin$`))]);
    expect(await sha256OfFile(join(store, "files", stored[0]!))).toBe(sha256);
    expect(wrongModes(store, "10001:10001")).toEqual([]);
    rmSync(join(store, "files", stored[0]!));
  }

  /**
   * A worker that is busy with one upload from its first byte to its last sees no time pass meanwhile, and answers
   * nobody else: it would log the request to the service as having begun with the upload.
   */
  async function expectTurns({ answer }: Uploaded): Promise<void> {
    // A slow disk takes its time for fsync after the last byte, which is no turn of the worker's.
    const fsync = (await loggedTimes(answer.id)).fsyncMs / 1000;
    const { seconds, upstreamSeconds } = (await logObjects(site.nginx)).findLast(({ uri, status }) => uri === "/upload" && status === 200) ?? {};
    expect(Number(upstreamSeconds) - fsync).toBeLessThan((Number(seconds) - fsync) * 0.75);
  }

  async function expectLittleMemory(): Promise<void> {
    const peak = { nginx: await peakMemoryMiB(site.nginx), service: await peakMemoryMiB(site.service) };
    console.info(`peak resident memory, all processes summed: nginx ${peak.nginx.toFixed(1)} MiB, service ${peak.service.toFixed(1)} MiB`);
    expect(peak.nginx).toBeLessThan(MOST_MEMORY_MIB);
    expect(peak.service).toBeLessThan(MOST_MEMORY_MIB);
  }

  it.each(["--http1.1", "--http2"] as const)("comes whole through curl %s", async (version) => {
    const before = bytesRead(await processes(site.service));
    const uploaded = await curl(version, file);
    await expectStored(uploaded);
    await expectTurns(uploaded);
    expect(bytesRead(await processes(site.service)) - before).toBeLessThan(MOST_BYTES_READ);
    await expectLittleMemory();
  }, 300_000);

  const noPython = withoutPython();
  it.skipIf(noPython !== undefined)(`comes whole through Python's requests-toolbelt, and is answered as soon as a small one${noPython === undefined ? "" : `: skipped, ${noPython}`}`, async () => {
    const small = join(folder, "small.bin");
    await writeRandomFile(small, SMALL);
    const beside = async (uploaded: Uploaded): Promise<number> => {
      const { fsyncMs, completeMs } = await loggedTimes(uploaded.answer.id);
      const rest = uploaded.waitedMs! - fsyncMs;
      console.info(
        `${uploaded.answer.size / MiB} MiB: ${uploaded.waitedMs!.toFixed(0)} ms from the last byte to the answer; fsync ${fsyncMs.toFixed(0)} ms of ${completeMs.toFixed(0)} ms in the service; the rest ${rest.toFixed(0)} ms`,
      );
      return rest;
    };
    const smallRests: number[] = [];
    for (let i = 0; i < 5; i++) smallRests.push(await beside(await python(small)));
    const median = smallRests.sort((a, b) => a - b)[2]!;

    const extra = async (): Promise<number> => {
      const before = bytesRead(await processes(site.service));
      const uploaded = await python(file);
      const rest = await beside(uploaded);
      await expectStored(uploaded);
      expect(uploaded.answer.description).toBe("from Python");
      expect(bytesRead(await processes(site.service)) - before).toBeLessThan(MOST_BYTES_READ);
      return rest - median;
    };
    expect(await leastOf(MOST_EXTRA_MS, extra)).toBeLessThan(MOST_EXTRA_MS);
    await expectLittleMemory();
  }, 600_000);

  it("is listed once for each time that it was sent", async () => {
    const big = (await records(site)).filter(({ size }) => size === BIG);
    expect(big.map(({ checksums }) => checksums["sha256"])).toEqual(big.map(() => sha256));
    expect(new Set(big.map(({ id }) => id)).size).toBe(big.length);
    expect(await docker("inspect", "--format", "{{.State.Status}} {{.RestartCount}}", site.nginx, site.service)).toBe("running 0\nrunning 0");
  });
});
