import { createServer, type Socket } from "node:net";
import http from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { fieldsOf, uploadServer } from "../helpers/upload-site.ts";
import { chunked, exchange, form, head, post } from "../helpers/wire.ts";

const body = form([{ disposition: 'name="file"; filename="a.txt"', body: "content" }]);
const requests = [[post("/upload", body)], [head("/upload", { extra: ["Transfer-Encoding: chunked"] }), chunked(body, 20)]] as const;

/** What a program behind a gateway protocol was told, and its standard input. */
interface Call {
  readonly variables: Readonly<Record<string, string>>;
  readonly input: Buffer;
}

/** Reads one request; `undefined` while more is to come. */
type Reader = (received: Buffer) => Call | undefined;

const scgi: Reader = (received) => {
  const colon = received.indexOf(":");
  if (colon < 0) return undefined;
  const start = colon + 1;
  const end = start + Number(received.subarray(0, colon).toString());
  if (received.length <= end) return undefined;
  const words = received.subarray(start, end).toString("latin1").split("\0");
  const variables: Record<string, string> = {};
  for (let i = 0; i + 1 < words.length; i += 2) variables[words[i]!] = words[i + 1]!;
  const input = received.subarray(end + 1);
  return input.length < Number(variables["CONTENT_LENGTH"]) ? undefined : { variables, input };
};

const uwsgi: Reader = (received) => {
  if (received.length < 4 || received.length < 4 + received.readUInt16LE(1)) return undefined;
  const end = 4 + received.readUInt16LE(1);
  const variables: Record<string, string> = {};
  const word = (at: number): string => received.subarray(at + 2, at + 2 + received.readUInt16LE(at)).toString("latin1");
  for (let at = 4; at < end; ) {
    const name = word(at);
    const value = word(at + 2 + name.length);
    variables[name] = value;
    at += 4 + name.length + value.length;
  }
  const input = received.subarray(end);
  return input.length < Number(variables["CONTENT_LENGTH"]) ? undefined : { variables, input };
};

/** Names and values of FastCGI parameters, whose lengths have one byte or four. */
function parameters(bytes: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  let at = 0;
  const length = (): number => {
    const short = bytes[at]! < 0x80;
    const value = short ? bytes[at]! : bytes.readUInt32BE(at) & 0x7fffffff;
    at += short ? 1 : 4;
    return value;
  };
  while (at < bytes.length) {
    const [name, value] = [length(), length()];
    found[bytes.subarray(at, at + name).toString("latin1")] = bytes.subarray(at + name, at + name + value).toString("latin1");
    at += name + value;
  }
  return found;
}

const fastcgi: Reader = (received) => {
  const streams: Record<number, Buffer[]> = { 4: [], 5: [] };
  for (let at = 0; at + 8 <= received.length; ) {
    const [type, length, padding] = [received[at + 1]!, received.readUInt16BE(at + 4), received[at + 6]!];
    if (type === 5 && length === 0) return { variables: parameters(Buffer.concat(streams[4]!)), input: Buffer.concat(streams[5]!) };
    streams[type]?.push(received.subarray(at + 8, at + 8 + length));
    at += 8 + length + padding;
  }
  return undefined;
};

const text = Buffer.from("Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ndone");
const record = (type: number, content: Buffer): Buffer => Buffer.concat([Buffer.from([1, type, 0, 1, 0, content.length, 0, 0]), content]);

/** Protocol, how it reads, how it answers. */
const gateways: readonly (readonly [name: string, read: Reader, answer: Buffer])[] = [
  ["scgi", scgi, text],
  ["uwsgi", uwsgi, Buffer.from(text.toString().replace("Status: 200", "HTTP/1.1 200"))],
  ["fastcgi", fastcgi, Buffer.concat([record(6, text), record(3, Buffer.alloc(8))])],
];

/** Runs a program behind a gateway protocol on a socket of its own. */
async function withGateway(read: Reader, answer: Buffer, test: (port: number, calls: Call[]) => Promise<void>): Promise<void> {
  const calls: Call[] = [];
  const server = createServer((socket: Socket) => {
    let received = Buffer.alloc(0);
    socket.on("error", () => undefined).on("data", (data) => {
      received = Buffer.concat([received, data]);
      const call = read(received);
      if (call === undefined) return;
      calls.push(call);
      socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await test((server.address() as { port: number }).port, calls);
  } finally {
    server.close();
  }
}

describe("module: targets that are not spoken to in HTTP", () => {
  it.each(gateways)("%s: is told the length of the rewritten form, and gets all of it", async (name, read, answer) => {
    await withGateway(read, answer, async (port, calls) => {
      const server = uploadServer().replace("proxy_pass http://%UPSTREAM%;", `include /etc/nginx/${name}_params; ${name}_pass 127.0.0.1:${port};`);
      await withNginx({ server, keepsFiles: true }, async (site) => {
        for (const pieces of requests) expect(await exchange(site.port, ...pieces)).toMatchObject({ status: 200, body: "done" });
        expect(calls).toHaveLength(2);
        calls.forEach((call, i) => check(call, site, i));
      });
    });
  });
});

function check({ variables, input }: Call, site: Nginx, i: number): void {
  const length = `${input.length}`;
  expect(variables).toMatchObject({ CONTENT_LENGTH: length, HTTP_CONTENT_LENGTH: length, CONTENT_TYPE: "multipart/form-data; boundary=XboundaryX", REQUEST_METHOD: "POST" });
  expect(variables).not.toHaveProperty("HTTP_TRANSFER_ENCODING");
  const passed = { method: "POST", url: "", rawHeaders: [], headers: { "content-type": variables["CONTENT_TYPE"] }, body: input };
  expect(fieldsOf(passed)).toContainEqual(["file.path", site.files()[i]]);
}

describe("module: a target on a Unix socket", () => {
  it("gets the form, and may answer in chunks", async () => {
    const server = uploadServer().replace("%UPSTREAM%", "unix:%FOLDER%/app.sock");
    await withNginx({ server, keepsFiles: true }, async (site) => {
      const bodies: Buffer[] = [];
      const app = http.createServer((incoming, response) => {
        incoming.on("data", (data: Buffer) => bodies.push(data)).on("end", () => response.write("do") && response.end("ne"));
      });
      await new Promise<void>((resolve) => app.listen(join(site.folder, "app.sock"), resolve));
      try {
        expect(await exchange(site.port, ...requests[0])).toMatchObject({ status: 200, body: "done" });
        expect(Buffer.concat(bodies).toString()).toContain(site.files()[0]);
      } finally {
        app.close();
      }
    });
  });
});
