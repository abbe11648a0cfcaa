import { connect, type Socket } from "node:net";
import { segmentGenerators } from "./segment-cases.ts";
import { everyAbort, http1Generators } from "./http1-cases.ts";
import { http2Generators } from "./http2-cases.ts";
import { statusesIn } from "./frames.ts";
import type { Generator, HostileCase } from "./case.ts";
import { Random } from "./random.ts";
import { smugglingGenerators } from "./smuggling.ts";

/** Statuses that any hostile request may get: what the module's reference lists, and nginx's own refusals. */
const ordinary = new Set([100, 101, 200, 400, 404, 405, 408, 411, 412, 413, 414, 415, 416, 417, 421, 431, 501, 505]);

/** Milliseconds without a word from the server after which a client that waits for silence goes. */
const SILENCE = 40;

/** The same while there has been no answer at all. */
const FIRST_SILENCE = 240;

/** Milliseconds that a client waits for an answer before that is a finding. */
const PATIENCE = 20_000;

export interface StormOptions {
  readonly http1Port: number;
  readonly http2Port: number;
  readonly seed: number;
  /** Number of the first case; with `count` 1 it is the only one. @default 0 */
  readonly from?: number;
  readonly count: number;
  /** Connections at once. @default 128 */
  readonly atOnce?: number;
  /** Asked now and then; a text ends the storm with that finding. */
  readonly trouble?: () => string | undefined;
  /** Told how many cases are done, after each. */
  readonly progress?: (done: number) => void;
}

/** What came of a storm. */
export interface StormResult {
  readonly done: number;
  /** How often each generator got each status; "none" is a connection without an answer. */
  readonly statuses: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly findings: readonly string[];
}

/** Every generator, each as often as it weighs. */
const wheel: readonly Generator[] = [...http1Generators, ...smugglingGenerators, ...segmentGenerators, ...http2Generators].flatMap((generator) =>
  Array.from({ length: generator.weight }, () => generator),
);

/** The case of a number: the first are the aborts at each byte, the others depend on seed and number alone. */
function caseMaker(options: StormOptions): (index: number) => { readonly name: string; readonly made: HostileCase } {
  const fixed = everyAbort();
  return (index) => {
    const random = new Random(Math.imul(options.seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
    random.bits();
    const generator = fixed[index] ?? random.pick(wheel);
    return { name: generator.name, made: generator.make(random) };
  };
}

function statusesOf(made: HostileCase, received: Buffer): number[] {
  if (made.port === "http2") return statusesIn(received);
  return [...received.toString("latin1").matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]));
}

/** Whether the last answer of HTTP/1.1 is whole, as far as its length says. */
function answered(received: Buffer): boolean {
  const text = received.toString("latin1");
  const at = text.lastIndexOf("HTTP/1.1 ");
  const end = text.indexOf("\r\n\r\n", at);
  if (at < 0 || end < 0 || /^HTTP\/1\.1 100/.test(text.slice(at))) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(at, end))?.[1];
  return length === undefined ? text.endsWith("0\r\n\r\n") : text.length >= end + 4 + Number(length);
}

/** Plays one case. @returns what the server sent, or undefined when an answer was awaited in vain */
function play(made: HostileCase, port: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const received: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    let writing = true;
    let left = false;
    const leave = (cleanly: boolean, inVain = false): void => {
      if (left) return;
      left = true;
      clearTimeout(timer);
      if (cleanly) socket.destroy();
      else socket.resetAndDestroy();
      resolve(inVain ? undefined : Buffer.concat(received));
    };
    const listen = (): void => {
      if (writing) return;
      clearTimeout(timer);
      const { length } = received;
      const wait = made.ending === "answer" ? PATIENCE : statusesOf(made, Buffer.concat(received)).length > 0 ? SILENCE : FIRST_SILENCE;
      // What has come while this program was busy is read before the immediate, but not before the timer.
      timer = setTimeout(() => setImmediate(() => received.length === length && leave(true, made.ending === "answer")), wait);
    };
    const write = (i: number): void => {
      const piece = made.pieces[i];
      if (piece === undefined) {
        writing = false;
        // What was written must leave before a reset throws it away.
        if (made.ending === "close" || made.ending === "reset") setImmediate(() => leave(made.ending === "close"));
        else if (made.ending === "answer" && answered(Buffer.concat(received))) leave(false);
        else listen();
        return;
      }
      socket.write(piece);
      if (made.pause === 0) setImmediate(write, i + 1);
      else timer = setTimeout(write, made.pause, i + 1);
    };
    socket.on("connect", () => write(0));
    socket.on("data", (data) => {
      received.push(data);
      if (!writing && made.ending === "answer" && answered(Buffer.concat(received))) leave(false);
      else listen();
    });
    socket.on("error", () => leave(true));
    socket.on("end", () => leave(true));
  });
}

/** Findings of one case. */
function judge(made: HostileCase, received: Buffer | undefined): { readonly statuses: readonly number[]; readonly findings: readonly string[] } {
  if (received === undefined) return { statuses: [], findings: [`no answer within ${PATIENCE / 1000} s`] };
  const statuses = statusesOf(made, received);
  const wrong = statuses.filter((status) => !ordinary.has(status) && !made.alsoStatus?.includes(status));
  const findings = wrong.map((status) => `an answer of ${status}`);
  const first = statuses[0];
  if (made.firstStatus !== undefined && first !== undefined && !made.firstStatus.includes(first)) {
    findings.push(`answered ${first}, allowed are ${made.firstStatus.join(", ")}`);
  }
  return { statuses, findings };
}

/** Plays all cases, many at once. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const make = caseMaker(options);
  const statuses = new Map<string, Map<string, number>>();
  const findings: string[] = [];
  const playing = new Map<number, string>();
  const last = (options.from ?? 0) + options.count;
  let next = options.from ?? 0;
  let done = 0;

  const worker = async (): Promise<void> => {
    while (next < last && findings.length < 20) {
      const index = next++;
      const { name, made } = make(index);
      playing.set(index, name);
      const result = judge(made, await play(made, made.port === "http1" ? options.http1Port : options.http2Port));
      const tally = statuses.get(name) ?? new Map<string, number>();
      statuses.set(name, tally);
      for (const status of result.statuses.length === 0 ? ["none"] : result.statuses.map(String)) tally.set(status, (tally.get(status) ?? 0) + 1);
      findings.push(...result.findings.map((finding) => `case ${index} (${name}): ${finding}`));
      const trouble = done % 50 === 0 ? options.trouble?.() : undefined;
      if (trouble !== undefined) {
        findings.push(`${trouble}; under way: ${[...playing].map(([number, kind]) => `${number} (${kind})`).join(", ")}`);
        next = last;
      }
      playing.delete(index);
      done++;
      options.progress?.(done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce ?? 128, options.count) }, worker));
  return { done, statuses, findings };
}
