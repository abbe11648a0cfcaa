/** One file over tus, in one piece or in several at a time: a cut, a kill or a reboot costs only what was under way. */
import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { corrupt, failure, type SendResult } from "./answer.ts";
import { FileDigest } from "./file-digest.ts";
import type { Http } from "./http.ts";
import { bytesOf, identify, type Identity, isSame, mustBe } from "./local-file.ts";
import { takeLock } from "./lock.ts";
import { Patience } from "./retry.ts";
import { planSegments } from "./segments.ts";
import { type FileOptions, SendError, type Source } from "./source.ts";
import { type Begun, type BegunSegment, makeStateFolder, statePath, UploadState } from "./state.ts";
import { isGone, Refused, type Standing, Tus } from "./tus.ts";

/** What the uploads to one site share. */
export interface SiteParts {
  readonly http: Http;
  readonly url: URL;
  /** @default $XDG_STATE_HOME/slipway */
  readonly stateFolder?: string;
  readonly onNote?: (text: string) => void;
}

/** Sends one file; goes on where an earlier run was stopped. @throws what ended it */
export async function uploadFile(site: SiteParts, source: Source, options: FileOptions): Promise<SendResult> {
  const identity = await identify(source);
  if (identity.size !== source.size) await mustBe(source, { ...identity, size: source.size });
  const base = statePath(source.path, site.url, site.stateFolder);
  let free: () => Promise<void>;
  try {
    await makeStateFolder(site.stateFolder);
    free = await takeLock(`${base}.lock`, source.name);
  } catch (error) {
    if (error instanceof SendError) throw error;
    throw new SendError(failure("local", "no_state", null, `what was sent cannot be remembered: ${(error as Error).message}`, "set XDG_STATE_HOME to a folder that can be written"));
  }
  const upload = new FileUpload(site, source, options, identity, new UploadState(base));
  try {
    return await upload.run();
  } finally {
    upload.stop();
    await free();
  }
}

class FileUpload {
  readonly #site: SiteParts;
  readonly #source: Source;
  readonly #options: FileOptions;
  readonly #identity: Identity;
  readonly #state: UploadState;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #tus: Tus;
  readonly #digest: FileDigest;
  readonly #start = performance.now();
  /** Bytes of each segment that were handed to the network, and all of them. */
  readonly #sent = new Map<BegunSegment, number>();
  #total = 0;

  constructor(site: SiteParts, source: Source, options: FileOptions, identity: Identity, state: UploadState) {
    this.#site = site;
    this.#source = source;
    this.#options = options;
    this.#identity = identity;
    this.#state = state;
    this.#signal = options.signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, options.signal]);
    setMaxListeners(0, this.#signal);
    this.#tus = new Tus(site.http, site.url, this.#signal);
    this.#digest = new FileDigest(source, this.#signal);
  }

  /** Ends whatever is still under way. */
  stop(): void {
    this.#stop.abort();
  }

  async run(): Promise<SendResult> {
    const before = await this.#earlier();
    const begun = before ?? this.#plan();
    try {
      return await this.#sendAll(begun, before !== undefined);
    } catch (error) {
      // Nothing can go on with a mixture of two versions.
      if (error instanceof SendError && error.failure.kind === "changed") await this.#giveUp(begun);
      throw error;
    }
  }

  async #sendAll(begun: Begun, resumed: boolean): Promise<SendResult> {
    const last = await this.#sendSegments(begun);
    const sha256 = await this.#digest.end();
    await mustBe(this.#source, this.#identity);
    if (this.#options.sha256 !== undefined && this.#options.sha256 !== sha256) {
      await this.#giveUp(begun);
      throw new SendError(failure("digest", "other_digest", null, `${this.#source.name} has SHA-256 ${sha256}, not ${this.#options.sha256} as it should`, "check the file against where it came from"));
    }
    const standing = begun.file === null ? last : await this.#finish(begun, sha256, resumed);
    return this.#judge(standing, sha256);
  }

  /** The upload of an earlier run, when the file is still the same. */
  async #earlier(): Promise<Begun | undefined> {
    const before = await this.#state.read();
    if (before === undefined) return undefined;
    const { origin } = this.#site.url;
    if (isSame(before.identity, this.#identity) && before.segments.every(({ url }) => url === null || new URL(url).origin === origin)) return before;
    this.#site.onNote?.(`${this.#source.name} has changed since it was partly sent; it is sent anew`);
    await this.#giveUp(before);
    return undefined;
  }

  async #giveUp(begun: Begun): Promise<void> {
    // Also when all else was stopped.
    const tus = new Tus(this.#site.http, this.#site.url);
    for (const { url } of begun.segments) if (url !== null) await tus.cancel(new URL(url));
    await this.#state.forget();
  }

  #plan(): Begun {
    const segments = planSegments(this.#source.size, this.#options.streams).map((segment) => ({ ...segment, url: null, done: false }));
    return { identity: this.#identity, file: segments.length === 1 ? null : randomBytes(24).toString("base64url"), segments };
  }

  /** Sends what the site does not have, several at a time. @returns where the last that was sent stands */
  async #sendSegments(begun: Begun): Promise<Standing | undefined> {
    const queue = begun.segments.filter((segment) => !segment.done);
    for (const segment of begun.segments) if (segment.done) this.#progress(segment, segment.length);
    let last: Standing | undefined;
    let failed: { readonly error: unknown } | undefined;
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined && failed === undefined; next = queue.shift()) last = await this.#segment(begun, next);
    };
    const lanes = Array.from({ length: Math.min(Math.max(1, this.#options.streams), queue.length) }, async () => {
      try {
        await lane();
      } catch (error) {
        failed ??= { error };
        // The others would go on for nothing.
        this.#stop.abort();
      }
    });
    await Promise.all(lanes);
    if (failed !== undefined) throw failed.error;
    return last;
  }

  async #segment(begun: Begun, segment: BegunSegment): Promise<Standing> {
    const patience = new Patience(this.#signal);
    for (let made = false; ; ) {
      try {
        if (segment.url === null) {
          segment.url = (await patience.run(() => this.#create(begun, segment))).href;
          await this.#state.write(begun);
          made = true;
        }
        const standing = await this.#send(new URL(segment.url), segment, patience, made ? 0 : undefined);
        if (begun.file === null) return standing;
        segment.done = true;
        await this.#state.write(begun);
        return standing;
      } catch (error) {
        // The site gave it up after a long pause: it is begun anew, once.
        if (made || !isGone(error)) throw error;
        segment.url = null;
      }
    }
  }

  #create({ file }: Begun, { start, length }: BegunSegment): Promise<URL> {
    const { name, size } = this.#source;
    const { sha256 } = this.#options;
    if (file === null) return this.#tus.create({ length, metadata: this.#described(), partial: false, sha256 });
    return this.#tus.create({ length, metadata: { filename: name, file, offset: String(start), total: String(size) }, partial: true, sha256: undefined });
  }

  #described(): Readonly<Record<string, string>> {
    const { description } = this.#options;
    return { filename: this.#source.name, ...(description === undefined ? {} : { description }) };
  }

  /** Sends a segment, in as many requests as it takes. @param known the site's offset, where it is known */
  async #send(url: URL, segment: BegunSegment, patience: Patience, known: number | undefined): Promise<Standing> {
    let furthest = 0;
    let at = known;
    let again = false;
    return patience.run(async () => {
      const standing: Standing = at === undefined ? await this.#tus.standing(url) : { offset: at, sha256: undefined, record: undefined };
      at = undefined;
      this.#progress(segment, standing.offset);
      if (standing.offset > furthest) patience.progressed();
      furthest = Math.max(furthest, standing.offset);
      if (standing.offset === segment.length) return standing;
      await mustBe(this.#source, this.#identity);
      const { offset } = standing;
      // After a cut the site is asked first: what is sent before it reads would be lost in the next.
      const ask = again;
      again = true;
      const done = await this.#tus.append(url, {
        offset, length: segment.length - offset, body: this.#bytes(segment, offset), ask, onSent: (sent) => this.#progress(segment, offset + sent),
      });
      if (done.offset !== segment.length) throw Object.assign(new Error(`the site took ${done.offset} of ${segment.length} bytes`), { code: "SHORT" });
      return done;
    });
  }

  async *#bytes({ start, length }: BegunSegment, offset: number): AsyncGenerator<Buffer> {
    let at = start + offset;
    for await (const bytes of bytesOf(this.#source, at, start + length)) {
      this.#digest.take(at, bytes);
      at += bytes.length;
      // The site files what is whole: a mixture of two versions must not become that.
      if (at === start + length) await mustBe(this.#source, this.#identity);
      yield bytes;
    }
  }

  #progress(segment: BegunSegment, sent: number): void {
    const before = this.#sent.get(segment) ?? 0;
    this.#sent.set(segment, sent);
    this.#total += sent - before;
    if (sent !== before) this.#options.onProgress?.(this.#total);
  }

  /** Declares the segments to be the file. */
  async #finish(begun: Begun, sha256: string, resumed: boolean): Promise<Standing> {
    const patience = new Patience(this.#signal);
    try {
      const parts = begun.segments.map(({ url }) => new URL(url ?? ""));
      const whole = await patience.run(() => this.#tus.finish(parts, this.#described(), sha256));
      return await patience.run(() => this.#tus.standing(whole));
    } catch (error) {
      // What an earlier run sent is not there any more: the site is asked for each segment, once.
      if (!resumed || !(error instanceof Refused) || ![400, 404, 410].includes(error.answer.status) || error.failure.kind === "digest") throw error;
      for (const segment of begun.segments) segment.done = false;
      await this.#sendSegments(begun);
      return this.#finish(begun, sha256, false);
    }
  }

  async #judge(standing: Standing | undefined, sha256: string): Promise<SendResult> {
    const { size, name } = this.#source;
    if (standing === undefined || standing.offset !== size || standing.record === undefined) {
      throw new SendError(failure("server", "unfiled", null, "the site has all bytes and does not say where the file is", "look at the site's list; send the file again if it is not there"));
    }
    await this.#state.forget();
    if (standing.sha256 !== undefined && standing.sha256 !== sha256) return corrupt(null, `SHA-256 ${standing.sha256}`, sha256);
    return { ok: true, id: standing.record, name, size, sha256, checked: standing.sha256 !== undefined, ms: performance.now() - this.#start };
  }
}
