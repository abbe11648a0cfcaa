import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { planFiles } from "../../client/plan.ts";
import { sendFile } from "../../client/send/form.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-send-"));
const content = randomBytes(3_000_000);
const sha256 = createHash("sha256").update(content).digest("hex");
const path = join(folder, "data.bin");
writeFileSync(path, content);

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function serve(listener: RequestListener, onContinue?: RequestListener): Promise<URL> {
  server = createServer(listener);
  if (onContinue !== undefined) server.on("checkContinue", onContinue);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}/upload`);
}

const body = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
};
const answer = (response: ServerResponse, status: number, value: unknown): void => void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const record = (size: number, digest: string) => ({ id: "01X", name: "data.bin", size, checksums: { sha256: digest } });
const planned = async () => (await planFiles([path], folder)).files[0]!;

describe("sending a file", () => {
  it("sends every byte in one form of the announced length, and checks the answer", async () => {
    let seen: { length: number; announced: number; file: Buffer; terminal: boolean } | undefined;
    const url = await serve(async (request, response) => {
      const whole = await body(request);
      const start = whole.indexOf("application/octet-stream\r\n\r\n") + 28;
      seen = { length: whole.length, announced: Number(request.headers["content-length"]), file: whole.subarray(start, start + content.length), terminal: whole.includes('name="terminal"\r\n\r\nyes') };
      answer(response, 200, record(content.length, sha256));
    });
    const progress: number[] = [];
    const result = await sendFile(await planned(), { url, onProgress: (sent) => progress.push(sent) });
    expect(result).toMatchObject({ ok: true, id: "01X", size: content.length, sha256, checked: true });
    expect(seen!.length).toBe(seen!.announced);
    expect(seen!.file.equals(content)).toBe(true);
    expect(seen!.terminal).toBe(true);
    expect(progress.at(-1)).toBe(content.length);
  });

  it("fails when the site has other bytes than were sent", async () => {
    const url = await serve(async (request, response) => (await body(request), answer(response, 200, record(content.length, "0".repeat(64)))));
    expect(await sendFile(await planned(), { url })).toMatchObject({ ok: false, code: "corrupt" });
  });

  it("fails when an answer of 200 is no record", async () => {
    const url = await serve(async (request, response) => (await body(request), answer(response, 200, { hello: "world" })));
    expect(await sendFile(await planned(), { url })).toMatchObject({ ok: false, code: "bad_answer" });
  });

  it("says where the site is when it answers with a redirect, and does not follow it", async () => {
    const sites: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      sites.push(request.url);
      response.writeHead(308, { location: "https://localhost:8443/upload" }).end("moved");
    });
    const result = await sendFile(await planned(), { url });
    expect(result).toMatchObject({ ok: false, kind: "refused", code: "redirect", status: 308, message: expect.stringContaining("308") as string, hint: "give https://localhost:8443 as the URL" });
    expect(sites).toEqual(["/upload"]);
  });

  it("sends no byte of the body when it is refused before", async () => {
    let received = 0;
    const url = await serve(() => undefined, (request, response) => {
      request.on("data", (part: Buffer) => (received += part.length));
      answer(response, 413, { error: { code: "too_large", status: 413, message: "too large", hint: "split it" } });
    });
    expect(await sendFile(await planned(), { url })).toEqual({ ok: false, kind: "refused", code: "too_large", status: 413, message: "too large", hint: "split it" });
    expect(received).toBe(0);
  });

  it("takes a refusal in the middle of the body for what it says", async () => {
    const url = await serve((request, response) => {
      request.once("data", () => answer(response, 507, { error: { code: "no_space", status: 507, message: "the disk is full", hint: "try later" } }));
    });
    expect(await sendFile(await planned(), { url })).toMatchObject({ ok: false, code: "no_space", status: 507 });
  });

  it("says so when the connection is cut", async () => {
    const url = await serve((request) => void request.once("data", () => request.socket.destroy()));
    expect(await sendFile(await planned(), { url })).toMatchObject({ ok: false, code: "cut", hint: "send the file again" });
  });

  it("says so when nothing listens", async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => server!.close(resolve));
    server = undefined;
    expect(await sendFile(await planned(), { url })).toMatchObject({ ok: false, code: "unreachable" });
  });

  it("sends exactly the size that was announced of a file that grew, and fails for one that shrank", async () => {
    const url = await serve(async (request, response) => {
      const whole = await body(request).catch(() => undefined);
      if (whole !== undefined) answer(response, 200, record(content.length, sha256));
    });
    const grown = join(folder, "grown");
    writeFileSync(grown, content);
    const [file] = (await planFiles([grown], folder)).files;
    appendFileSync(grown, "more");
    expect(await sendFile(file!, { url })).toMatchObject({ ok: true, sha256 });
    truncateSync(grown, 1000);
    expect(await sendFile(file!, { url })).toMatchObject({ ok: false, code: "changed" });
  });

  it("sends an empty file", async () => {
    const empty = join(folder, "empty");
    writeFileSync(empty, "");
    const digest = createHash("sha256").digest("hex");
    const url = await serve(async (request, response) => (await body(request), answer(response, 200, record(0, digest))));
    expect(await sendFile((await planFiles([empty], folder)).files[0]!, { url })).toMatchObject({ ok: true, size: 0, sha256: digest });
  });

  it("connects to a given address whatever the name resolves to", async () => {
    const url = await serve(async (request, response) => (await body(request), answer(response, 200, record(content.length, sha256))));
    url.hostname = "site.invalid";
    expect(await sendFile(await planned(), { url })).toMatchObject({ ok: false, code: "unreachable" });
    expect(await sendFile(await planned(), { url, connectTo: "127.0.0.1" })).toMatchObject({ ok: true });
  });
});
