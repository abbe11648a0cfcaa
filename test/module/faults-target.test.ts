import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { http2Upload } from "../helpers/hostile-http2.ts";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { classicFields, fieldOf } from "../helpers/upload-site.ts";
import { exchange, form, head, post } from "../helpers/wire.ts";

const body = form([
  { disposition: 'name="file"; filename="a"', body: Buffer.alloc(20_000, "content ") },
  { disposition: 'name="file"; filename="b"', body: "second" },
]);

/** What a target does with the request it has read. */
type Behaviour = (socket: Socket) => void;

/** A target's misbehaviour, the status that comes of it, and whether the files are the target's then. */
interface Row {
  readonly what: string;
  readonly does: Behaviour;
  readonly status: number;
  readonly keeps: boolean;
}

const rows: readonly Row[] = [
  { what: "closes without a word", does: (socket) => socket.end(), status: 502, keeps: false },
  { what: "resets the connection", does: (socket) => socket.resetAndDestroy(), status: 502, keeps: false },
  { what: "closes within the answer's head", does: (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Le"), status: 502, keeps: false },
  { what: "answers a head that is too long", does: (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}\r\n\r\n`), status: 502, keeps: false },
  { what: "says nothing for too long", does: () => undefined, status: 504, keeps: false },
  { what: "begins a head and says no more", does: (socket) => socket.write("HTTP/1.1 200 OK\r\nX: y"), status: 504, keeps: false },
  { what: "is slow", does: (socket) => setTimeout(() => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow"), 150), status: 200, keeps: true },
  { what: "answers 500", does: (socket) => socket.end("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"), status: 500, keeps: true },
  { what: "answers 422 and is cut off", does: (socket) => (socket.write("HTTP/1.1 422 No\r\nContent-Length: 9\r\n\r\nha"), socket.resetAndDestroy()), status: 422, keeps: true },
];

/** A target that does one thing, once it has read a request with all its body. */
async function withTarget(does: Behaviour, run: (address: string) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = "";
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      received += data.toString("latin1");
      const [start = "", ...rest] = received.split("\r\n\r\n");
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(start)?.[1] ?? 0);
      if (received.includes("\r\n\r\n") && rest.join("\r\n\r\n").length >= length) does(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await run(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/**
 * How an error is shown to the client. Another program gets the rewritten form, as the target did: once it has answered,
 * the files are its, unless the final status is in upload_cleanup.
 */
const pages = {
  "nginx's own page": "",
  "a page of text": "error_page 502 504 /page;",
  "another program": "error_page 502 504 @other;",
  "another program whose status counts": "error_page 502 504 = @other;",
  "another program, with a list of statuses to clean up": "error_page 502 504 @other; upload_cleanup 500-599;",
} as const;

/** Of a target that is waited for in vain the shortest time is waited for; any other may be as slow as the machine. */
const server = (target: string, page: string, status = 200): string => `
  location /upload {
    upload_pass @done;
    upload_store %STORE% 1;
    ${classicFields}
    ${page}
  }
  location @done { proxy_pass http://${target}; proxy_http_version 1.1; proxy_read_timeout ${status === 504 ? "400ms" : "30s"}; proxy_connect_timeout 10s; ${page} }
  location = /page { return 200 "a page"; }
  location @other { proxy_pass http://%UPSTREAM%; }`;

type Send = (nginx: Nginx) => Promise<number>;
const ways: Readonly<Record<string, Send>> = {
  "HTTP/1.1": async ({ port }) => (await exchange(port, post("/upload", body))).status,
  "HTTP/2": ({ tlsPort }) => http2Upload(tlsPort, "/upload", body),
};

const listen = "listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% http2;";

/** What comes of a row when errors are shown by a page. */
function outcome({ status, keeps }: Pick<Row, "status" | "keeps">, page: string): { status: number; keeps: boolean; asked: boolean } {
  const asked = page.includes("@other") && (status === 502 || status === 504);
  const shown = asked && page.includes("=") ? 200 : status;
  return { status: shown, keeps: (keeps || asked) && !(page.includes("upload_cleanup") && shown >= 500), asked };
}

/** Sends the upload each way and looks at status, files and what the other program was sent. */
async function check(nginx: Nginx, { status, keeps, asked }: ReturnType<typeof outcome>): Promise<void> {
  for (const [way, send] of Object.entries(ways)) {
    const [files, requests] = [nginx.files().length, nginx.passed.length];
    expect(await send(nginx), way).toBe(status);
    await nginx.until(() => nginx.files().length === files + (keeps ? 2 : 0), `the right files, ${way}`);
    const [other, ...more] = nginx.passed.slice(requests);
    expect([other !== undefined, more.length], way).toEqual([asked, 0]);
    if (asked) expect(fieldOf(other, "file.path"), way).toContain(nginx.store);
  }
  for (const path of nginx.files()) expect([20_000, 6]).toContain(readFileSync(path).length);
}

describe.each(Object.entries(pages))("module: a target that fails, shown by %s", (_, page) => {
  it.each(rows)("$what", async (row) => {
    await withTarget(row.does, async (target) => {
      const expected = outcome(row, page);
      await withNginx({ server: server(target, page, row.status), listen, keepsFiles: expected.keeps }, (nginx) => check(nginx, expected));
    });
  });

  it("is not there", async () => {
    const expected = outcome({ status: 502, keeps: false }, page);
    await withNginx({ server: server("127.0.0.1:1", page), listen, keepsFiles: expected.keeps }, (nginx) => check(nginx, expected));
  });
});

describe("module: an error page of another program", () => {
  it("sees no body of an upload that was refused, in whatever phase", async () => {
    await withNginx({ server: server("%UPSTREAM%", "error_page 400 405 413 415 503 507 @other;"), listen }, async (nginx) => {
      const refused = [
        post("/upload", body, { type: "text/plain" }),
        post("/upload", body.subarray(0, 5000)),
        post("/upload", Buffer.from(body.toString("latin1").replace("filename", "filename=x; filename"), "latin1")),
        head("/upload", { method: "PUT", length: 100 }),
      ];
      for (const request of refused) {
        const before = nginx.passed.length;
        await exchange(nginx.port, request);
        expect(nginx.passed).toHaveLength(before + 1);
        const { body: seen, headers } = nginx.passed.at(-1)!;
        expect([seen.length, headers["content-length"] ?? "0", headers["transfer-encoding"]]).toEqual([0, "0", undefined]);
        expect(nginx.files()).toEqual([]);
      }
    });
  });
});
