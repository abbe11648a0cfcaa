/** One file over tus, in one piece or in several at a time: a cut, a kill or a reboot costs only what was under way. */
import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { failure, type SendResult } from "./answer.ts";
import { type Earlier, giveUp, type Now, takeUp } from "./earlier.ts";
import { FileDigest } from "./file-digest.ts";
import { described, mustHave, resultOf } from "./filed.ts";
import { bytesOf, identify, mustBe } from "./local-file.ts";
import { takeLock } from "./lock.ts";
import { Patience } from "./retry.ts";
import { planSegments } from "./segments.ts";
import type { SiteParts } from "./site-parts.ts";
import { SMALL, uploadSmall } from "./small-upload.ts";
import { type FileOptions, SendError, type Source } from "./source.ts";
import { type Begun, type BegunSegment, makeStateFolder, statePath, UploadState } from "./state.ts";
import { isGone, Refused, type Standing, Tus } from "./tus.ts";

/** Sends one file; goes on where an earlier run was stopped. @throws what ended it */
export async function uploadFile(site: SiteParts, source: Source, options: FileOptions): Promise<SendResult> {
  const identity = await identify(source);
  if (identity.size !== source.size) await mustBe(source, { ...identity, size: source.size });
  const base = statePath(source.path, site.url, site.stateFolder);
  let free: () => Promise<void>;
  try {
    await makeStateFolder(site.stateFolder);
    free = await takeLock(`${base}.lock`);
  } catch (error) {
    if (error instanceof SendError) throw error;
    throw new SendError(failure("local", "no_state", null, `what was sent cannot be remembered: ${(error as Error).message}`, "set XDG_STATE_HOME to a folder that can be written"));
  }
  const upload = new FileUpload({ site, source, identity, state: new UploadState(base) }, options);
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
  readonly #now: Now;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #tus: Tus;
  readonly #digest: FileDigest;
  readonly #start = performance.now();
  /** Bytes of each segment that were handed to the network, and all of them. */
  readonly #sent = new Map<BegunSegment, number>();
  #total = 0;
  /** Segments that no stream has taken yet. */
  #queue: BegunSegment[] = [];
  /** Where segments stand that no byte was sent of since that was learnt: it need not be asked again. */
  readonly #known = new Map<BegunSegment, Standing>();
  /** Bytes that the site had from an earlier run. */
  #resumed = 0;
  /** The one segment whose address is asked for while others are sent. */
  #asked: { readonly segment: BegunSegment; readonly answered: Promise<void> } | undefined;

  constructor(now: Now, options: FileOptions) {
    const { site, source } = now;
    this.#site = site;
    this.#source = source;
    this.#options = options;
    this.#now = now;
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
    const before = await takeUp(this.#now, this.#tus, this.#options, this.#signal);
    // It was larger when it was begun.
    if (before === undefined && this.#source.size <= SMALL) return uploadSmall(this.#site, this.#source, this.#options);
    const begun = before?.begun ?? this.#plan();
    try {
      if (before !== undefined) this.#lookBack(before);
      return await this.#sendAll(begun);
    } catch (error) {
      // Nothing can go on with a mixture of two versions, or with another file than was meant.
      if (error instanceof SendError && (error.failure.kind === "changed" || error.failure.code === "other_digest")) await giveUp(this.#now, begun);
      throw error;
    }
  }

  async #sendAll(begun: Begun): Promise<SendResult> {
    const last = await this.#sendSegments(begun);
    const sha256 = await this.#digest.end();
    await mustBe(this.#source, this.#now.identity);
    mustHave(this.#options.sha256, sha256);
    const standing = begun.file === null ? last : await this.#finish(begun, sha256);
    return this.#judge(standing, sha256);
  }

  /** Takes note of what the site has of an upload of an earlier run, and says so, before anything is sent. */
  #lookBack({ begun: { segments }, known }: Earlier): void {
    for (const segment of segments) {
      const standing = known.get(segment);
      this.#sent.set(segment, standing?.offset ?? 0);
      if (standing !== undefined && !segment.done) this.#known.set(segment, standing);
    }
    this.#resumed = this.#total = [...this.#sent.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (this.#resumed > 0) this.#options.onResumed?.(this.#resumed);
  }

  #plan(): Begun {
    const segments = planSegments(this.#source.size, this.#options.streams).map((segment) => ({ ...segment, url: null, done: false }));
    return { identity: this.#now.identity, file: segments.length === 1 ? null : randomBytes(24).toString("base64url"), segments };
  }

  /** Sends what the site does not have, several at a time. @returns where the last that was sent stands */
  async #sendSegments(begun: Begun): Promise<Standing | undefined> {
    this.#queue = begun.segments.filter((segment) => !segment.done);
    let last: Standing | undefined;
    let failed: { readonly error: unknown } | undefined;
    const lane = async (): Promise<void> => {
      for (let next = this.#queue.shift(); next !== undefined && failed === undefined; next = this.#queue.shift()) last = await this.#segment(begun, next);
    };
    const lanes = Array.from({ length: Math.min(this.#streams, this.#queue.length) }, async () => {
      try {
        await lane();
      } catch (error) {
        failed ??= { error };
        // The others would go on for nothing.
        this.#stop.abort();
      }
    });
    await Promise.all(lanes);
    // An address that comes after the end would be remembered by nobody.
    await this.#asked?.answered;
    if (failed !== undefined) throw failed.error;
    return last;
  }

  get #streams(): number {
    return Math.max(1, this.#options.streams);
  }

  async #segment(begun: Begun, segment: BegunSegment): Promise<Standing> {
    const patience = new Patience(this.#signal);
    if (this.#asked?.segment === segment) await this.#asked.answered;
    for (let anew = false; ; anew = true) {
      try {
        const url = segment.url ?? (await patience.run(() => this.#create(begun, segment))).href;
        if (segment.url === null) await this.#begin(begun, segment, url);
        const standing = await this.#send(new URL(url), begun, segment, patience);
        if (begun.file === null) return standing;
        segment.done = true;
        await this.#now.state.write(begun);
        return standing;
      } catch (error) {
        // The site gave it up after a long pause: it is begun anew, once.
        if (anew || !isGone(error)) throw error;
        segment.url = null;
      }
    }
  }

  /** Remembers the address of a new segment. */
  async #begin(begun: Begun, segment: BegunSegment, url: string): Promise<void> {
    segment.url = url;
    this.#known.set(segment, { offset: 0, sha256: undefined, record: undefined });
    await this.#now.state.write(begun);
  }

  /**
   * Asks for the addresses of the next segments while others are sent, so that no stream waits for one: one after the
   * other, and no more than will be needed soon. What is not used is remembered, and given up with the upload.
   */
  #askAhead(begun: Begun): void {
    const segment = this.#queue.slice(0, this.#streams).find(({ url }) => url === null);
    if (segment === undefined || this.#asked !== undefined) return;
    const ask = async (): Promise<void> => this.#begin(begun, segment, (await this.#create(begun, segment)).href);
    const answered = ask().then(
      () => {
        this.#asked = undefined;
        this.#askAhead(begun);
      },
      // It is asked for again in its turn, and what is wrong is said then.
      () => void (this.#asked = undefined),
    );
    this.#asked = { segment, answered };
  }

  #create({ file }: Begun, { start, length }: BegunSegment): Promise<URL> {
    const { name, size } = this.#source;
    const { sha256 } = this.#options;
    if (file === null) return this.#tus.create({ length, metadata: described(this.#source.name, this.#options), partial: false, sha256 });
    return this.#tus.create({ length, metadata: { filename: name, file, offset: String(start), total: String(size) }, partial: true, sha256: undefined });
  }

  /** Sends a segment, in as many requests as it takes. */
  async #send(url: URL, begun: Begun, segment: BegunSegment, patience: Patience): Promise<Standing> {
    let furthest = 0;
    let again = false;
    return patience.run(async () => {
      const standing = this.#known.get(segment) ?? (await this.#tus.standing(url));
      this.#known.delete(segment);
      this.#progress(segment, standing.offset);
      if (standing.offset > furthest) patience.progressed();
      furthest = Math.max(furthest, standing.offset);
      if (standing.offset === segment.length) return standing;
      await mustBe(this.#source, this.#now.identity);
      const { offset } = standing;
      // After a cut the site is asked first: what is sent before it reads would be lost in the next.
      const ask = again;
      again = true;
      let isFirst = true;
      const onSent = (sent: number): void => {
        this.#progress(segment, offset + sent);
        // Not before: it would take the connection that this stream has just used.
        if (isFirst) this.#askAhead(begun);
        isFirst = false;
      };
      const done = await this.#tus.append(url, { offset, length: segment.length - offset, body: this.#bytes(segment, offset), ask, onSent });
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
      if (at === start + length) await mustBe(this.#source, this.#now.identity);
      yield bytes;
    }
  }

  #progress(segment: BegunSegment, sent: number): void {
    const before = this.#sent.get(segment) ?? 0;
    this.#sent.set(segment, sent);
    this.#total += sent - before;
    if (sent !== before) this.#options.onProgress?.(this.#total);
  }

  /** Declares the segments to be the file. @param again whether the site may be asked for each of them, and then once more */
  async #finish(begun: Begun, sha256: string, again = true): Promise<Standing> {
    const patience = new Patience(this.#signal);
    try {
      const parts = begun.segments.map(({ url }) => new URL(url ?? ""));
      const whole = await patience.run(() => this.#tus.finish(parts, described(this.#source.name, this.#options), sha256));
      return await patience.run(() => this.#tus.standing(whole));
    } catch (error) {
      // The site has lost some of what was sent: that is sent again.
      if (!again || !(error instanceof Refused) || ![400, 404, 410].includes(error.answer.status) || error.failure.kind === "digest") throw error;
      for (const segment of begun.segments) segment.done = false;
      this.#resumed = 0;
      await this.#sendSegments(begun);
      return this.#finish(begun, sha256, false);
    }
  }

  async #judge(standing: Standing | undefined, sha256: string): Promise<SendResult> {
    const { size, name } = this.#source;
    const result = resultOf(standing?.offset === size ? standing : undefined, name, { size, resumed: this.#resumed, sha256, ms: performance.now() - this.#start });
    await this.#now.state.forget();
    return result;
  }
}
