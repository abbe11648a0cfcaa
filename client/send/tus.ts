/** Sending over tus 1.0.0, so that a cut, a kill or a reboot costs only what the site had not received. */
import { createReadStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseByteCount } from "../../protocol/byte-count.ts";
import { parseDigestField } from "../../protocol/digest-field.ts";
import { tusBodyType, tusVersion } from "../../protocol/tus.ts";
import type { PlannedFile } from "../plan.ts";
import { corrupt, networkFailure, parseObject, refusal, type SendFailure, type SendResult } from "./answer.ts";
import { type Answer, answerOf, drained, open, READ_SIZE, type SendOptions } from "./http.ts";
import { ATTEMPTS, isLasting, mayPass, waitMs } from "./retry.ts";
import { RunningDigest } from "./running-digest.ts";
import { identify, type Identity, isSame, UploadState } from "./state.ts";

export interface ResumableOptions extends SendOptions {
  /** Told when something happens that a person would wonder about, in one sentence. */
  readonly onNote?: (text: string) => void;
  /** Folder of the state files. @default $XDG_STATE_HOME/slipway */
  readonly stateFolder?: string;
}

/** Silence after which a connection counts as dead. */
const SILENCE_MS = 60_000;
/** Requests that carry no bytes are answered soon, or the connection is half open. */
const SHORT_SILENCE_MS = 10_000;
const headers = { "Tus-Resumable": tusVersion };

/** Where an upload stands. */
interface Standing {
  readonly offset: number;
  /** SHA-256 of the whole file in hex, once the site has it. */
  readonly sha256: string | undefined;
  /** Id of the file's record, once the site has filed it. */
  readonly record: string | undefined;
}

/** A refusal that ends the sending. */
class Refused extends Error {
  readonly failure: SendFailure;
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.failure = refusal(answer.status, parseObject(answer.body));
    this.answer = answer;
  }
}

async function ask(options: SendOptions, method: string, url: URL, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const request = open(options, method, url, { ...headers, ...(method === "POST" ? { "Content-Length": "0" } : {}), ...more });
  request.setTimeout(SHORT_SILENCE_MS, () => request.destroy(silent(SHORT_SILENCE_MS)));
  try {
    const answered = answerOf(request);
    request.end();
    return await answered;
  } finally {
    request.destroy();
  }
}

const silent = (ms: number): Error => Object.assign(new Error(`nothing was heard for ${ms / 1000} s`), { code: "ETIMEDOUT" });

/** Whether the site speaks tus at `/tus/`: an application of the site's own may not. */
export async function speaksTus(options: SendOptions): Promise<boolean> {
  for (let failures = 1; failures < ATTEMPTS; failures++) {
    try {
      const answer = await ask(options, "OPTIONS", new URL("/tus/", options.url));
      return String(answer.headers["tus-version"] ?? "").split(",").includes(tusVersion);
    } catch (error) {
      // What never answered is left to the form, whose failure says what is wrong.
      if (!["ECONNRESET", "EPIPE", "ETIMEDOUT"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
      await sleep(waitMs(failures, undefined));
    }
  }
  return false;
}

/** Sends one file; goes on where an earlier run was stopped. Never throws: whatever goes wrong is the result. */
export async function sendResumable(file: PlannedFile, options: ResumableOptions): Promise<SendResult> {
  try {
    return await new Sending(file, options).run();
  } catch (error) {
    return error instanceof Refused ? error.failure : networkFailure(error as NodeJS.ErrnoException, options.url.host);
  }
}

class Sending {
  readonly #file: PlannedFile;
  readonly #options: ResumableOptions;
  readonly #state: UploadState;
  readonly #start = performance.now();
  #digest = new RunningDigest();
  #failures = 0;
  #furthest = 0;

  constructor(file: PlannedFile, options: ResumableOptions) {
    this.#file = file;
    this.#options = options;
    this.#state = new UploadState(file.path, options.url, options.stateFolder);
  }

  async run(): Promise<SendResult> {
    const identity = await identify(this.#file.path);
    if (identity.size !== this.#file.size) throw this.#changed();
    let begun = await this.#again(identity);
    let created = false;
    for (;;) {
      try {
        const standing = begun === undefined ? undefined : await this.#standing(begun);
        if (standing === undefined) {
          if (created) throw Object.assign(new Error("the site has lost the upload while it was sent"), { code: "LOST" });
          begun = await this.#retrying(() => this.#create(identity));
          created = true;
        }
        if (begun === undefined) continue;
        const done = await this.#retrying(() => this.#goOn(begun!, identity));
        return await this.#judge(done);
      } catch (error) {
        // The site gave the upload up after a long pause: it is begun anew, once.
        if (created || !(error instanceof Refused) || ![404, 410].includes(error.answer.status)) throw error;
        begun = undefined;
      }
    }
  }

  /** The upload of an earlier run, when the file is still the same. */
  async #again(identity: Identity): Promise<URL | undefined> {
    const before = await this.#state.read();
    if (before === undefined) return undefined;
    const url = new URL(before.url);
    if (isSame(before, identity) && url.origin === this.#options.url.origin) return url;
    this.#options.onNote?.(`${this.#file.argument} has changed since it was partly sent; it is sent anew`);
    await ask(this.#options, "DELETE", url).catch(() => undefined);
    await this.#state.forget();
    return undefined;
  }

  async #standing(url: URL): Promise<Standing | undefined> {
    return this.#retrying(async () => {
      const answer = await ask(this.#options, "HEAD", url, { "Want-Repr-Digest": "sha-256=10" });
      if (answer.status === 404 || answer.status === 410) return undefined;
      return standingOf(answer);
    });
  }

  async #create(identity: Identity): Promise<URL> {
    const metadata = `filename ${Buffer.from(this.#file.name).toString("base64")}`;
    const answer = await ask(this.#options, "POST", new URL("/tus/", this.#options.url), { "Upload-Length": String(identity.size), "Upload-Metadata": metadata });
    const { location } = answer.headers;
    if (answer.status !== 201 || location === undefined) throw new Refused(answer);
    const url = new URL(location, this.#options.url);
    await this.#state.write({ ...identity, url: url.href });
    return url;
  }

  /** One attempt: from the site's offset to the end of the file, in one request. */
  async #goOn(url: URL, identity: Identity): Promise<Standing> {
    const head = await ask(this.#options, "HEAD", url, { "Want-Repr-Digest": "sha-256=10" });
    const standing = standingOf(head);
    if (standing.offset > this.#furthest) {
      this.#furthest = standing.offset;
      this.#failures = 0;
    }
    if (!isSame(await identify(this.#file.path), identity)) throw this.#changed();
    await this.#digest.catchUp(this.#file.path, standing.offset);
    if (standing.offset === this.#file.size) return standing;
    const done = await this.#patch(url, standing.offset);
    if (!isSame(await identify(this.#file.path), identity)) throw this.#changed();
    return done;
  }

  async #patch(url: URL, offset: number): Promise<Standing> {
    const request = open(this.#options, "PATCH", url, {
      ...headers, "Content-Type": tusBodyType, "Content-Length": this.#file.size - offset, "Upload-Offset": String(offset), "Want-Repr-Digest": "sha-256=10",
    });
    request.setTimeout(SILENCE_MS, () => request.destroy(silent(SILENCE_MS)));
    const answered = answerOf(request);
    let early: Answer | undefined;
    answered.then((answer) => (early = answer), () => undefined);
    try {
      await this.#write(request, offset, () => early !== undefined);
      return standingOf(await answered);
    } catch (error) {
      if (early !== undefined && !(error instanceof Refused)) return standingOf(early);
      throw error;
    } finally {
      request.destroy();
    }
  }

  async #write(request: ReturnType<typeof open>, offset: number, isAnswered: () => boolean): Promise<void> {
    let at = offset;
    for await (const bytes of createReadStream(this.#file.path, { start: offset, end: this.#file.size - 1, highWaterMark: READ_SIZE }) as AsyncIterable<Buffer>) {
      if (isAnswered()) return;
      this.#digest.take(at, bytes);
      if (!request.write(bytes)) await drained(request);
      at += bytes.length;
      this.#options.onProgress?.(at);
    }
    if (at !== this.#file.size) throw this.#changed();
    request.end();
  }

  async #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const refused = error instanceof Refused ? error.answer : undefined;
        if (refused !== undefined ? !mayPass(refused.status) : isLasting((error as NodeJS.ErrnoException).code ?? "")) throw error;
        this.#failures += 1;
        if (this.#failures >= ATTEMPTS) throw error;
        await sleep(waitMs(this.#failures, refused?.headers["retry-after"]));
      }
    }
  }

  async #judge(standing: Standing): Promise<SendResult> {
    const { size, name } = this.#file;
    const sha256 = this.#digest.end();
    if (standing.offset !== size) throw Object.assign(new Error(`the site took ${standing.offset} of ${size} bytes`), { code: "SHORT" });
    if (standing.record === undefined) throw Object.assign(new Error("the site has all bytes and does not say where the file is"), { code: "UNFILED" });
    await this.#state.forget();
    if (standing.sha256 !== undefined && standing.sha256 !== sha256) {
      return corrupt(null, `SHA-256 ${standing.sha256}`, sha256);
    }
    return { ok: true, id: standing.record, name, size, sha256, checked: standing.sha256 !== undefined, ms: performance.now() - this.#start };
  }

  #changed(): Error {
    return Object.assign(new Error(`${this.#file.argument} changed while it was sent`), { code: "CHANGED" });
  }
}

/** Where an answer says that the upload stands. @throws Refused */
function standingOf(answer: Answer): Standing {
  const offset = parseByteCount(String(answer.headers["upload-offset"] ?? ""));
  if ((answer.status !== 200 && answer.status !== 204) || offset === undefined) throw new Refused(answer);
  const digest = parseDigestField(String(answer.headers["repr-digest"] ?? ""))?.find(({ checksum }) => checksum === "sha256");
  const record = /^\/api\/uploads\/([^/]+)$/.exec(String(answer.headers["content-location"] ?? ""))?.[1];
  return { offset, sha256: digest?.hex, record };
}
