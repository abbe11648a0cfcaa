/** A small real server with the site's pages, whose upload address answers as the file's name asks. */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { buildAssets } from "../../web/assets.ts";
import { ASSETS_PATH, PAGE_CSP, STANDALONE_CSP, renderError, renderHome, renderList, type UnderWayView, type UploadView } from "../../web/pages.ts";

/** What a test may see and set. */
export interface PageServer {
  readonly origin: string;
  /** Newest first; shown by `/list`. */
  readonly uploads: UploadView[];
  /** Shown by `/list` as under way. */
  readonly underWay: UnderWayView[];
  /** Status of each answer of `/list`. */
  readonly listAnswers: number[];
  /** Every POST that came, in the order of their starts. */
  readonly posts: { readonly fileName: string; readonly accept: string; readonly body: () => string }[];
  /** Largest number of POSTs that ran at the same time. */
  atOnceMax(): number;
  /** File names whose uploads are broken off in the middle; take them out to let a retry succeed. */
  readonly cut: Set<string>;
  /** File names that are filed, and whose connection is cut in place of the answer; each is taken out by that. */
  readonly unanswered: Set<string>;
  /** `Idempotency-Key` of each upload that was begun, in order. A key that was filed is answered as it was then. */
  readonly keys: string[];
  /** File names that are refused with 507 when all has come. */
  readonly refused: Set<string>;
  /** File names that are refused with 507 at once; then the connection is read for a while and closed, as nginx does. */
  readonly refusedEarly: Set<string>;
  /** File names whose bytes are not read on until taken out. */
  readonly held: Set<string>;
  close(): Promise<void>;
}

export interface PageServerOptions {
  /** Bytes. @default 0: no limit */
  readonly maxFileSize?: number;
  /**
   * Whether each request has a connection of its own: on one that was used before Chromium sends a form again by itself.
   * @default false
   */
  readonly neverKept?: boolean;
}

const HEAD_BYTES_MAX = 4096;
const KEPT_BYTES_MAX = 64 * 1024;
const CUT_AFTER_BYTES = 256 * 1024;
const HOLD_POLL_MS = 20;
const LINGER_BYTES = 4 * 1024 * 1024;

const NO_SPACE = {
  error: {
    code: "no_space",
    status: 507,
    message: "The disk of the site is full.",
    hint: "Ask the site's administrator to make room, then retry.",
    requestId: "0123456789abcdef0123456789abcdef",
  },
};

interface Received {
  readonly fileName: string;
  readonly size: number;
  readonly text: string;
  /** Digest of the first part's bytes, the file; so is the size. */
  readonly sha256: string;
}

function describeFile(body: Buffer): { readonly size: number; readonly sha256: string } {
  const boundary = body.subarray(0, body.indexOf("\r\n"));
  const start = body.indexOf("\r\n\r\n") + 4;
  const content = body.subarray(start, body.indexOf(Buffer.concat([Buffer.from("\r\n"), boundary]), start));
  return { size: content.length, sha256: createHash("sha256").update(content).digest("hex") };
}

/** Reads the form of a POST as it comes. */
async function receive(request: IncomingMessage, response: ServerResponse, state: State): Promise<Received | null> {
  let head = "";
  let text = "";
  const chunks: Buffer[] = [];
  let size = 0;
  let fileName = "";
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    chunks.push(chunk);
    if (head.length < HEAD_BYTES_MAX) head += chunk.toString("latin1", 0, HEAD_BYTES_MAX);
    text = (text + chunk.toString("utf8")).slice(-KEPT_BYTES_MAX);
    if (fileName === "") {
      const match = /filename="([^"]*)"/.exec(head);
      if (match?.[1] !== undefined) {
        fileName = Buffer.from(match[1], "latin1").toString("utf8");
        state.posts.push({ fileName, accept: request.headers.accept ?? "", body: () => text });
      }
    }
    while (state.held.has(fileName) && !request.destroyed) await delay(HOLD_POLL_MS);
    if (state.refusedEarly.has(fileName) && !response.headersSent) {
      response.setHeader("connection", "close");
      sendJson(response, 507, NO_SPACE);
    }
    if (response.writableEnded && size > LINGER_BYTES) request.destroy();
    if (state.cut.has(fileName) && size > CUT_AFTER_BYTES) {
      request.destroy();
      return null;
    }
  }
  return { fileName, text, ...describeFile(Buffer.concat(chunks)) };
}

type State = Pick<PageServer, "posts" | "cut" | "unanswered" | "keys" | "refused" | "refusedEarly" | "held" | "uploads" | "underWay" | "listAnswers"> & { readonly filed: Map<string, UploadView> };

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function record(received: Received, state: State): UploadView {
  const id = `01${randomBytes(15).toString("hex").slice(0, 24).toUpperCase()}`;
  const description = /name="description"\r\n\r\n([^\r]*)/.exec(received.text)?.[1] ?? "";
  const path = /name="relativePath"\r\n\r\n([^\r]*)/.exec(received.text)?.[1] ?? "";
  const upload: UploadView = {
    id,
    name: received.fileName,
    folder: path.split("/").slice(0, -1).join("/") || null,
    size: received.size,
    contentType: "application/octet-stream",
    checksums: { sha256: received.sha256 },
    description: description === "" ? null : description,
    completedAt: new Date().toISOString(),
    state: "complete",
  };
  state.uploads.unshift(upload);
  return upload;
}

async function upload(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const key = String(request.headers["idempotency-key"]);
  state.keys.push(key);
  const received = await receive(request, response, state);
  if (received === null || response.writableEnded) return;
  if (state.refused.has(received.fileName)) {
    sendJson(response, 507, NO_SPACE);
    return;
  }
  const done = state.filed.get(key) ?? record(received, state);
  state.filed.set(key, done);
  if (state.unanswered.delete(received.fileName)) {
    request.socket.destroy();
    return;
  }
  if ((request.headers.accept ?? "").includes("text/html")) {
    response.writeHead(303, { location: `/list?new=${done.id}` }).end();
  } else {
    const { id, name, size, checksums, description } = done;
    sendJson(response, 200, { message: "Upload Complete", id, name, size, checksums, description });
  }
}

function page(response: ServerResponse, status: number, text: string, policy: string): void {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy }).end(text);
}

function list(url: URL, state: State): string {
  const query = url.searchParams.get("q") ?? "";
  const after = url.searchParams.get("after");
  const newIds = (url.searchParams.get("new") ?? "").split(",").filter((id) => id !== "");
  const found = state.uploads.filter((one) => `${one.name} ${one.description ?? ""}`.includes(query));
  const from = after === null ? 0 : found.findIndex((one) => one.id === after) + 1;
  const uploads = found.slice(from, from + 10);
  const next = found.length > from + 10 ? (uploads.at(-1)?.id ?? null) : null;
  return renderList({ siteName: "slipway", uploads, next, query, newIds, after, underWay: state.underWay });
}

/** Starts the server on a free port of the loopback. */
export async function startPageServer(options: PageServerOptions = {}): Promise<PageServer> {
  const assets = await buildAssets();
  const state: State = { uploads: [], underWay: [], listAnswers: [], posts: [], cut: new Set(), unanswered: new Set(), keys: [], filed: new Map(), refused: new Set(), refusedEarly: new Set(), held: new Set() };
  let running = 0;
  let runningMax = 0;
  const home = { siteName: "slipway", uploadPath: "/upload", maxFileSize: options.maxFileSize ?? 0, checksums: ["sha256"] } as const;
  const error = { status: 502, code: "service_down", message: "The service that files uploads does not answer.", hint: "Wait a minute and try again. If it stays so, tell the site's administrator." };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const asset = url.pathname.startsWith(ASSETS_PATH) ? assets.get(url.pathname.slice(ASSETS_PATH.length)) : undefined;
    if (request.method === "POST" && url.pathname === "/upload") {
      running += 1;
      runningMax = Math.max(runningMax, running);
      // A client that cancels breaks the body off; the page, not the server, is under test then.
      void upload(request, response, state).catch(() => response.destroy()).finally(() => (running -= 1));
    } else if (asset !== undefined) response.writeHead(200, { "content-type": asset.type }).end(asset.body);
    else if (url.pathname === "/") page(response, 200, renderHome({ ...home, host: request.headers.host ?? "" }), PAGE_CSP);
    else if (url.pathname === "/list") {
      const text = list(url, state);
      const tag = `"${createHash("sha256").update(text).digest("hex")}"`;
      const status = request.headers["if-none-match"] === tag ? 304 : 200;
      state.listAnswers.push(status);
      response.setHeader("ETag", tag);
      page(response, status, status === 304 ? "" : text, PAGE_CSP);
    } else if (url.pathname === "/standalone-error") page(response, 502, renderError(error, { standalone: true }), STANDALONE_CSP);
    else page(response, 404, renderError({ ...error, status: 404, code: "not_found", message: "There is nothing at this address.", hint: "Check the address, or look for the file in the list.", requestId: "0123456789abcdef0123456789abcdef" }), PAGE_CSP);
  });
  if (options.neverKept === true) server.maxRequestsPerSocket = 1;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("page server: no TCP address");
  return {
    ...state,
    origin: `http://127.0.0.1:${address.port}`,
    atOnceMax: () => runningMax,
    async close() {
      // Closing twice is fine: a test may take the server away itself.
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
