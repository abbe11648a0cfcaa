import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultyCalls } from "../helpers/faults.ts";
import { type Answer, type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { openSizes, piecesSite, readState, segment, segmentHead, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, WireClient } from "../helpers/wire.ts";

const bytes = randomBytes(30);
const other = randomBytes(30);

const send = (nginx: Nginx, from: number, to: number, of: Buffer = bytes): ReturnType<typeof exchange> => exchange(nginx.port, segment(of, "s", from, to));
const files = (nginx: Nginx): string[] => nginx.files().filter((path) => !path.endsWith(".state"));
const states = (nginx: Nginx): string[] => nginx.files().filter((path) => path.endsWith(".state"));

/** A target that gives each request the answer of its number, then 200; a promise is one that takes its time. */
function site(answers: readonly (Answer | undefined | Promise<Answer>)[]): NginxOptions {
  let asked = 0;
  const options = piecesSite({ answer: () => (asked < answers.length ? answers[asked++] : {}) });
  return { ...options, server: options.server.replace("proxy_ignore_client_abort on", "proxy_ignore_client_abort off") };
}

/** Hands the whole file to a target that says nothing yet. @returns the client that waits, and the file */
async function handed(nginx: Nginx): Promise<{ readonly client: WireClient; readonly path: string }> {
  expect((await send(nginx, 0, 10)).status).toBe(201);
  const client = await WireClient.open(nginx.port);
  client.write(segment(bytes, "s", 10, 30));
  await nginx.until(() => nginx.passed.length === 1, "the target to be asked");
  return { client, path: files(nginx)[0]! };
}

/** Begins the session anew with other bytes, as soon as that is possible. */
async function begun(nginx: Nginx): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    const answer = await send(nginx, 0, 10, other);
    if (answer.status !== 409) return expect(answer.body).toBe("0-9/30");
    await sleep(20);
  }
  throw new Error("the session did not begin anew");
}

describe("module: a session that is to begin anew while a target has not answered for its file", () => {
  it("does so when the client has gone away, and the file is removed", async () => {
    await withNginx(site([undefined]), async (nginx) => {
      const { client, path } = await handed(nginx);
      for (const [from, to] of [[0, 10], [10, 30], [0, 30]] as const) expect((await send(nginx, from, to, other)).status).toBe(409);
      expect(nginx.files()).toHaveLength(2);
      client.destroy();
      await begun(nginx);
      expect(existsSync(path)).toBe(false);
      expect(files(nginx)).toEqual([readState(states(nginx)[0]!).path]);
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
    });
  });

  it("does so when the target has answered, and leaves it the file", async () => {
    let answer: (answer: Answer) => void = () => undefined;
    const later = new Promise<Answer>((resolve) => (answer = resolve));
    await withNginx(site([later]), async (nginx) => {
      const { client, path } = await handed(nginx);
      expect((await send(nginx, 0, 10, other)).status).toBe(409);
      answer({ status: 200 });
      expect((await client.answer()).status).toBe(200);
      client.destroy();
      await begun(nginx);
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
      expect(readFileSync(path)).toEqual(bytes);
    });
  });

  it("does so when only another target has answered, and leaves it the file", async () => {
    await withNginx(site([undefined, { status: 200 }]), async (nginx) => {
      const { client, path } = await handed(nginx);
      expect((await send(nginx, 10, 30)).status).toBe(200);
      expect((await send(nginx, 0, 10, other)).status).toBe(409);
      client.destroy();
      await begun(nginx);
      expect(readFileSync(path)).toEqual(bytes);
    });
  });

  it("begins without a trace of the other when upload_cleanup has removed it", async () => {
    await withNginx(site([{ status: 422 }]), async (nginx) => {
      await send(nginx, 0, 10);
      expect((await send(nginx, 10, 30)).status).toBe(422);
      await nginx.until(() => nginx.files().length === 0, "file and state to go");
      await begun(nginx);
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
      expect(readFileSync(readState(states(nginx)[0]!).path)).toEqual(other);
    });
  });
});

describe("module: a session that begins anew while its whole file is hashed", () => {
  it("does not mix the two files", async () => {
    const large = randomBytes(60_000_000);
    const half = large.length / 2;
    const options = piecesSite({}, "upload_checksums md5 sha1 sha256 sha512;");
    await withNginx(options, async (nginx) => {
      // The digests of what came first can only follow when the rest is there.
      expect((await exchange(nginx.port, segment(large, "s", half, large.length))).status).toBe(201);
      const last = exchange(nginx.port, segment(large, "s", 0, half));
      await nginx.until(() => readState(states(nginx)[0]!).complete, "the file to be whole");
      expect((await send(nginx, 0, 10, other)).status).toBe(409);
      expect(nginx.passed).toHaveLength(0);
      expect((await last).status).toBe(200);
      await begun(nginx);
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
      expect(nginx.passed.map((passed) => fieldOf(passed, "sha256"))).toEqual([sha256(large), sha256(other)]);
    });
  });
});

describe("module: a last segment that is sent again", () => {
  let calls: FaultyCalls;
  beforeAll(() => {
    calls = FaultyCalls.build();
  });
  afterAll(() => calls.remove());

  // The second call is that for a file without a name: where it fails there is a file with one.
  it.each([[0, 0], [2, 1]])("leaves nothing when it is cut off, call %d failing", async (nth, more) => {
    await withNginx({ ...site([]), ...calls.options }, async (nginx) => {
      await send(nginx, 0, 10);
      expect((await send(nginx, 10, 30)).status).toBe(200);
      const before = nginx.files();
      calls.arm({ kinds: ["open"], nth, error: "EIO" });
      const client = await WireClient.open(nginx.port);
      client.write(Buffer.concat([segmentHead("s", 10, 30, 30), bytes.subarray(10, 20)]));
      await nginx.until(() => openSizes(nginx).length === 1, "a file for it");
      expect(nginx.files()).toHaveLength(before.length + more);
      client.destroy();
      await nginx.until(() => openSizes(nginx).length === 0, "it to go");
      expect(nginx.files()).toEqual(before);
      calls.arm({ kinds: ["open"], nth, error: "EIO" });
      expect((await send(nginx, 10, 30, other)).body).toBe("10-29/30");
      expect(files(nginx)).toContain(readState(states(nginx)[0]!).path);
      expect(files(nginx)).toHaveLength(2);
    });
  });
});
