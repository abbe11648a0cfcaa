import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Answer, type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { piecesSite, readState, segment, segmentHead, sha256 } from "../helpers/pieces.ts";
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

describe("module: a session that begins anew while a target has not answered for its file", () => {
  it("has the file removed when the client goes away", async () => {
    await withNginx(site([undefined]), async (nginx) => {
      const { client, path } = await handed(nginx);
      expect((await send(nginx, 0, 10, other)).body).toBe("0-9/30");
      expect(existsSync(path)).toBe(true);
      client.destroy();
      await nginx.until(() => !existsSync(path), "the file to go");
      expect(files(nginx)).toEqual([readState(states(nginx)[0]!).path]);
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
    });
  });

  it("has the file removed when the first segment of the new one is cut off, too", async () => {
    await withNginx(site([undefined]), async (nginx) => {
      const { client, path } = await handed(nginx);
      const cut = await WireClient.open(nginx.port);
      cut.write(Buffer.concat([segmentHead("s", 0, 10, 30), other.subarray(0, 5)]));
      await nginx.until(() => files(nginx).length === 2, "the new file");
      cut.destroy();
      await nginx.until(() => files(nginx).length === 1, "the new file to go");
      client.destroy();
      await nginx.until(() => !existsSync(path), "the file to go");
      expect((await send(nginx, 0, 10, other)).body).toBe("0-9/30");
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
    });
  });

  it("leaves the file to a target that answers later", async () => {
    let answer: (answer: Answer) => void = () => undefined;
    const later = new Promise<Answer>((resolve) => (answer = resolve));
    await withNginx(site([later]), async (nginx) => {
      const { client, path } = await handed(nginx);
      await send(nginx, 0, 10, other);
      answer({ status: 200 });
      expect((await client.answer()).status).toBe(200);
      client.destroy();
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
      expect(readFileSync(path)).toEqual(bytes);
    });
  });

  it("leaves the file to another target that has answered", async () => {
    await withNginx(site([undefined, { status: 200 }]), async (nginx) => {
      const { client, path } = await handed(nginx);
      expect((await send(nginx, 10, 30)).status).toBe(200);
      await send(nginx, 0, 10, other);
      client.destroy();
      await nginx.until(() => nginx.log().includes("client prematurely closed"), "nginx to see that the client is gone");
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
      expect(readFileSync(path)).toEqual(bytes);
    });
  });

  it("keeps what it has when upload_cleanup removes the old file", async () => {
    let answer: (answer: Answer) => void = () => undefined;
    const later = new Promise<Answer>((resolve) => (answer = resolve));
    await withNginx(site([later]), async (nginx) => {
      const { client, path } = await handed(nginx);
      await send(nginx, 0, 10, other);
      answer({ status: 422 });
      expect((await client.answer()).status).toBe(422);
      client.destroy();
      await nginx.until(() => !existsSync(path), "the file to go");
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
      expect(readFileSync(readState(states(nginx)[0]!).path)).toEqual(other);
    });
  });
});

describe("module: a session that begins anew while its whole file is being hashed", () => {
  it("does not mix the two files", async () => {
    const large = randomBytes(60_000_000);
    const half = large.length / 2;
    const options = piecesSite({}, "upload_checksums md5 sha1 sha256 sha512;");
    await withNginx(options, async (nginx) => {
      // The digests of what came first can only follow when the rest is there.
      expect((await exchange(nginx.port, segment(large, "s", half, large.length))).status).toBe(201);
      const last = exchange(nginx.port, segment(large, "s", 0, half));
      await nginx.until(() => readState(states(nginx)[0]!).complete, "the file to be whole");
      expect((await send(nginx, 0, 10, other)).body).toBe("0-9/30");
      expect(nginx.passed).toHaveLength(0);
      expect((await last).status).toBe(409);
      expect(files(nginx)).toEqual([readState(states(nginx)[0]!).path]);
      expect((await send(nginx, 10, 30, other)).status).toBe(200);
      expect(nginx.passed).toHaveLength(1);
      expect(fieldOf(nginx.passed[0], "sha256")).toBe(sha256(other));
    });
  });
});

describe("module: a last segment that is sent again", () => {
  it("leaves nothing when it is cut off", async () => {
    await withNginx(site([]), async (nginx) => {
      await send(nginx, 0, 10);
      expect((await send(nginx, 10, 30)).status).toBe(200);
      const before = nginx.files();
      const client = await WireClient.open(nginx.port);
      client.write(Buffer.concat([segmentHead("s", 10, 30, 30), bytes.subarray(10, 20)]));
      await nginx.until(() => nginx.files().length === before.length + 1, "a file for it");
      client.destroy();
      await nginx.until(() => nginx.files().length === before.length, "it to go");
      expect(nginx.files()).toEqual(before);
    });
  });
});
