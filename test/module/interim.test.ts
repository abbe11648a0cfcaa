/** What nginx makes of an upstream's interim answer, with which drafts of resumable uploads tell the address early. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { post, WireClient } from "../helpers/wire.ts";

const INTERIM = "HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /upload/7\r\n\r\n";
const FINAL = "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone";
/** Milliseconds in which an answer would have come; on a slow machine less is seen of it. */
const WHILE = 300;

it.each(["1.0", "1.1"])("nginx takes an upstream's 104 for its answer, over HTTP/%s, and keeps it back until the upstream closes", async (version) => {
  const upstream = createServer();
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as AddressInfo;
  const http = 'log_format seen "$status $body_bytes_sent";';
  const server = `access_log %FOLDER%/seen.log seen; location / { proxy_http_version ${version}; proxy_pass http://127.0.0.1:${port}; }`;
  try {
    await withNginx({ http, server }, async (nginx) => {
      const asked = once(upstream, "connection") as Promise<[Socket]>;
      const client = await WireClient.open(nginx.port);
      client.write(post("/", Buffer.from("x"), { type: "text/plain" }));
      const [socket] = await asked;
      await once(socket, "data");
      socket.write(INTERIM + FINAL);
      await sleep(WHILE);
      expect(client.receivedBytes).toBe(0);
      socket.end();

      await nginx.until(() => readFileSync(`${nginx.folder}/seen.log`, "utf8") !== "", "the request is over");
      expect(readFileSync(`${nginx.folder}/seen.log`, "utf8")).toBe(`104 ${FINAL.length}\n`);
      expect(await client.answer()).toMatchObject({ status: 104, headers: { location: "/upload/7" } });
      // As far as nginx knows, a body: it has neither a length nor chunks.
      expect(await client.answer()).toEqual({ status: 201, headers: { "content-length": "4" }, body: "done" });
      client.destroy();
    });
  } finally {
    upstream.close();
  }
});
