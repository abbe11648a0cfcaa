/** What an application that speaks uwsgi is told, by a real nginx with the real module. */

import { once } from "node:events";
import { request } from "node:https";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Application } from "../../stacks/factories.ts";
import { checkSite } from "../../stacks/settings.ts";
import { nginxFolder, startNginx, whyNoNginx, type NginxFolder } from "../helpers/nginx-site.ts";

interface Told {
  readonly vars: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The variables of a uwsgi packet: a header of four bytes, then lengths (16 bits, little endian) and texts in turn. */
function readVars(packet: Buffer): { vars: Record<string, string>; end: number } {
  const end = 4 + packet.readUInt16LE(1);
  const texts: string[] = [];
  for (let i = 4; i < end; i += 2 + packet.readUInt16LE(i)) texts.push(packet.toString("latin1", i + 2, i + 2 + packet.readUInt16LE(i)));
  return { vars: Object.fromEntries(texts.flatMap((text, i) => (i % 2 === 0 ? [[text, texts[i + 1]!]] : []))), end };
}

/** Answers every request with 200 and keeps what it was told. */
function uwsgiApplication(told: Told[]): Server {
  return createServer((socket) => {
    let packet = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      packet = Buffer.concat([packet, chunk]);
      if (packet.length < 4 || packet.length < 4 + packet.readUInt16LE(1)) return;
      const { vars, end } = readVars(packet);
      if (packet.length < end + Number(vars["CONTENT_LENGTH"] || 0)) return;
      told.push({ vars, body: packet.toString("latin1", end) });
      socket.end("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\ntold");
    });
  });
}

const missing = whyNoNginx();

describe.skipIf(missing !== undefined)(`a uwsgi application${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const told: Told[] = [];
  const server = uwsgiApplication(told);
  let folder: NginxFolder;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    folder = await nginxFolder(9);
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    stop = await startNginx(folder, checkSite({ upload: { checksums: ["md5"] }, application: Application.uwsgi(address, { completionPath: "/done/" }) }));
  });
  afterAll(async () => {
    await stop();
    server.close();
    folder.remove();
  });

  function ask(path: string, method: string, headers: Record<string, string>, body: string): Promise<string> {
    const [host, port] = folder.placement.httpsListen.split(":") as [string, string];
    return new Promise((resolve, reject) => {
      const sent = request({ host, port, path, method, headers: { host: "localhost", ...headers }, rejectUnauthorized: false, agent: false }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString())).on("end", () => resolve(`${response.statusCode} ${text}`));
      });
      sent.on("error", reject).end(body);
    });
  }

  it("gets a completion at its path, with the fields' form as body", async () => {
    const body = '--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nhello\r\n--B--\r\n';
    expect(await ask("/upload?a=b", "POST", { "content-type": "multipart/form-data; boundary=B", "x-forwarded-proto": "http" }, body)).toBe("200 told");
    const { vars, body: form } = told.at(-1)!;
    expect(vars).toMatchObject({
      REQUEST_METHOD: "POST",
      REQUEST_URI: "/done/?a=b",
      PATH_INFO: "/done/",
      QUERY_STRING: "a=b",
      CONTENT_TYPE: "multipart/form-data; boundary=B",
      CONTENT_LENGTH: String(form.length),
      HTTPS: "on",
      REQUEST_SCHEME: "https",
      SERVER_PORT: "8443",
      REMOTE_ADDR: "127.0.0.1",
      HTTP_HOST: "localhost",
      HTTP_X_FORWARDED_PROTO: "https",
      HTTP_X_REQUEST_ID: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(form).toContain('name="f.md5"\r\n\r\n5d41402abc4b2a76b9719d911017c592\r\n');
    expect(vars).not.toHaveProperty("HTTP_X_SLIPWAY_SECRET");
  });

  it("gets every other request as it came", async () => {
    expect(await ask("/a%20b/?q=%2F", "PUT", { "content-type": "text/x" }, "body")).toBe("200 told");
    expect(told.at(-1)).toMatchObject({ vars: { REQUEST_METHOD: "PUT", REQUEST_URI: "/a%20b/?q=%2F", PATH_INFO: "/a b/", CONTENT_LENGTH: "4" }, body: "body" });
  });
});
