import { createHash } from "node:crypto";
import { readFileSync, unlinkSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";

/** A field of the rewritten form. */
type Field = readonly [name: string, value: string];

/** Fields of a rewritten form, read as strictly as can be. @throws when it is not one */
function strictFields(body: Buffer): Field[] {
  const text = body.toString("latin1");
  const mark = /^--([^\r\n]*)\r\n/.exec(text)?.[1];
  if (mark === undefined) throw new Error("the form does not begin with a boundary");
  if (text === `--${mark}\r\n` && mark.endsWith("--")) return [];
  const parts = `\r\n${text}`.split(`\r\n--${mark}`);
  if (parts[0] !== "" || parts.at(-1) !== "--\r\n") throw new Error("the form does not end with its boundary");
  return parts.slice(1, -1).map((part) => {
    const match = /^\r\nContent-Disposition: form-data; name="([^"\r\n]*)"\r\n\r\n([^]*)$/.exec(part);
    if (match === null) throw new Error(`not a field: ${JSON.stringify(part.slice(0, 200))}`);
    return [match[1]!, match[2]!];
  });
}

/**
 * The program that uploads are passed on to. It looks at whatever reaches it: a form must be well-formed, each file it
 * names must be in the store with the size and the digest it tells, and no hidden request may come.
 */
export class Target {
  readonly #server: http.Server;
  readonly #folder: () => string;
  /** Uploads that came. */
  uploads = 0;
  /** Paths of the files that it was told of, and what it did then. */
  readonly told = new Map<string, string>();
  /** What should not have happened. */
  readonly findings: string[] = [];

  private constructor(folder: () => string) {
    this.#folder = folder;
    this.#server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 65_536 }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => this.#take(request, Buffer.concat(chunks), response));
    });
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      // nginx passes on odd characters that a client has put into the path or into a header's value.
      if (!/^(ECONNRESET|HPE_INVALID_HEADER_TOKEN|HPE_INVALID_URL)$/.test(error.code ?? "")) this.findings.push(`the target was sent something that is not HTTP: ${error.code} ${error.message}`);
      socket.destroy();
    });
  }

  /** @param folder gives the folder that all stores are in */
  static async start(folder: () => string): Promise<Target> {
    const target = new Target(folder);
    await new Promise<void>((resolve) => target.#server.listen(0, "127.0.0.1", resolve));
    return target;
  }

  /** Address and port. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Closes the connections that nginx keeps for later. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take(request: http.IncomingMessage, body: Buffer, response: http.ServerResponse): void {
    const { url = "", headers } = request;
    if (/hidden/.test(url)) this.findings.push(`a hidden request was run: ${request.method} ${url}`);
    const kind = headers["x-kind"];
    if (kind !== "upload" && kind !== "piece") {
      response.end("other");
      return;
    }
    this.uploads++;
    const wanted = headers["x-target"];
    try {
      this.#look(headers, body, kind === "upload" && wanted !== "error" && wanted !== "reset");
    } catch (error) {
      this.findings.push(`${request.method} ${url}: ${(error as Error).message}`);
    }
    if (wanted === "reset") request.socket.resetAndDestroy();
    else if (wanted === "error") response.writeHead(422).end("refused");
    else if (wanted === "slow") setTimeout(() => response.end("slow"), 30);
    else response.end("taken");
  }

  /** @param taking whether the files are to be taken away, as a target does that says 200 */
  #look(headers: http.IncomingHttpHeaders, body: Buffer, taking: boolean): void {
    if (headers["transfer-encoding"] !== undefined) throw new Error("the target got a Transfer-Encoding");
    const fields = strictFields(body);
    const count = Number(headers["x-files"] ?? 0);
    if (count === 0) return;
    const values = (name: string): string[] => fields.filter(([field]) => field === name).map(([, value]) => value);
    const [paths, sizes, sums] = [values("_path"), values("_size"), values("_md5")];
    if (paths.length !== count || sizes.length !== count || sums.length !== count) {
      throw new Error(`${count} files, but ${paths.length} paths, ${sizes.length} sizes and ${sums.length} digests`);
    }
    if (headers["x-kind"] === "piece") return;
    for (const path of paths) this.told.set(path, `${taking ? "took it" : `left it, ${String(headers["x-target"])}`}`);
    paths.forEach((path, i) => this.#file(path, sizes[i]!, sums[i]!, { taking, waited: headers["x-waits"] === "yes" }));
  }

  #file(path: string, size: string, sum: string, { taking, waited }: { readonly taking: boolean; readonly waited: boolean }): void {
    if (!path.startsWith(this.#folder()) || path.includes("..")) throw new Error(`a path outside the stores: ${path}`);
    let content: Buffer;
    try {
      content = readFileSync(path);
      if (taking) unlinkSync(path);
    } catch (error) {
      // A client that is gone by now had its files removed.
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && !waited) return;
      throw error;
    }
    if (`${content.length}` !== size) throw new Error(`${path} has ${content.length} bytes, not ${size}`);
    if (createHash("md5").update(content).digest("hex") !== sum) throw new Error(`${path} does not have the digest ${sum}`);
  }
}
