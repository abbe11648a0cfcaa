/** A little client of each dialect that never gives up: what it sends arrives whole, however bad the way is. */
import { setTimeout as sleep } from "node:timers/promises";
import { type DialectClient, resumingDialects, type Wording } from "../../helpers/dialects.ts";
import { type Answer, send, type Target } from "../../helpers/e2e-client.ts";

export interface Upload {
  readonly via: Target;
  readonly bytes: Buffer;
  /** Bytes of a request's body at most. @default all that is missing */
  readonly chunk?: number;
}

export interface CutClient {
  readonly name: string;
  /**
   * Whether what has arrived counts, to the byte, when a request is cut: of the others the site acknowledges a body with
   * its answer alone, and a client sends all of it again.
   */
  readonly goesOn: boolean;
  /** Whether an upload whose answer is lost is filed a second time. */
  readonly filesTwice: boolean;
  /** @throws Error when the site takes back what it had acknowledged, refuses, or is not done in a minute */
  upload(upload: Upload): Promise<void>;
}

const LONGEST_MS = 60_000;
const BETWEEN_MS = 20;
const SEGMENT = 256 * 1024;

/** Refusals that are right after a cut: the state is another one than the client thinks. */
const passing = new Set([409, 500, 502, 503, 504]);

/** Repeats a request until it is answered with success. */
async function insist(question: () => Promise<Answer>): Promise<Answer> {
  for (const end = Date.now() + LONGEST_MS; Date.now() < end; await sleep(BETWEEN_MS)) {
    const answer = await question().catch(() => undefined);
    if (answer === undefined || passing.has(answer.status)) continue;
    if (answer.status < 300) return answer;
    throw new Error(`refused with ${answer.status}: ${answer.text}`);
  }
  throw new Error(`no answer of success in ${LONGEST_MS} ms`);
}

const ask = (via: Target, { method, path, headers }: Wording, body?: Buffer): Promise<Answer> => send(via, path, { method, headers, ...(body === undefined ? {} : { body }) });

function resuming(client: DialectClient): CutClient {
  return {
    name: client.name,
    goesOn: true,
    filesTwice: false,
    async upload({ via, bytes, chunk = bytes.length }) {
      const { headers } = await insist(() => ask(via, client.create(bytes.length)));
      const address = new URL(headers["location"] ?? "", via.url).pathname;
      let acknowledged = 0;
      for (const end = Date.now() + LONGEST_MS; Date.now() < end; ) {
        const head = await insist(() => ask(via, client.head(address)));
        if (client.complete(head, bytes.length)) return;
        const offset = Number(head.headers["upload-offset"]);
        // The last byte is asked for again when the file is whole but was not filed.
        if (offset < Math.min(acknowledged, bytes.length - 1)) throw new Error(`${acknowledged} bytes were acknowledged, now ${offset}`);
        acknowledged = offset;
        const piece = bytes.subarray(offset, offset + chunk);
        const answer = await ask(via, client.append(address, offset, piece.length, bytes.length), piece).catch(() => undefined);
        if (answer !== undefined && answer.status >= 300 && !passing.has(answer.status)) throw new Error(`refused with ${answer.status}: ${answer.text}`);
        if (answer !== undefined && answer.status < 300) acknowledged = Number(answer.headers["upload-offset"]);
        // Who asks at once may be ahead of the cut request itself, which another worker of nginx has not begun yet.
        if (answer === undefined) await sleep(BETWEEN_MS);
      }
      throw new Error(`not complete in ${LONGEST_MS} ms`);
    },
  };
}

let sessions = 0;

const segments: CutClient = {
  name: "ranged segments",
  goesOn: false,
  filesTwice: false,
  async upload({ via, bytes, chunk = SEGMENT }) {
    const session = `cuts-${process.pid}-${(sessions += 1)}`;
    const starts = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, index) => index * chunk);
    /** One of two connections: takes the next segment until none is left. */
    let filed = false;
    const connection = async (): Promise<void> => {
      for (let from = starts.shift(); from !== undefined; from = starts.shift()) {
        const body = bytes.subarray(from, from + chunk);
        const headers = {
          "content-type": "application/octet-stream",
          "content-disposition": 'attachment; filename="segments.bin"',
          "session-id": session,
          "content-range": `bytes ${from}-${from + body.length - 1}/${bytes.length}`,
        };
        const { status } = await insist(() => send(via, "/upload", { method: "POST", headers, body }));
        filed ||= status === 200;
      }
    };
    await Promise.all([connection(), connection()]);
    if (!filed) throw new Error(`every segment of ${session} was acknowledged, but none was answered with the file`);
  },
};

const plain: CutClient = {
  name: "plain PUT",
  goesOn: false,
  filesTwice: true,
  async upload({ via, bytes }) {
    await insist(() => send(via, "/upload/plain.bin", { method: "PUT", body: bytes }));
  },
};

const [tus, resumable] = resumingDialects.map(resuming);

export const cutClients: readonly CutClient[] = [tus!, resumable!, segments, plain];
