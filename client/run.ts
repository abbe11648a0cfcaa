/** Sends what was planned, several files at a time, and remembers how each ended. */
import { randomUUID } from "node:crypto";
import { totalOf } from "./display.ts";
import type { PushFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import type { Form, Journal } from "./journal.ts";
import type { Listed } from "./manifest.ts";
import type { PlannedFile } from "./plan.ts";
import type { Report, Source } from "./report/report.ts";
import { eachOf, groupsOf, type Schedule, scheduleOf } from "./schedule.ts";
import type { SendFailure, SendResult } from "./send/answer.ts";
import { mayPass } from "./send/retry.ts";
import { maySendTogether, type Site, TOGETHER } from "./send/site.ts";
import { identify } from "./send/local-file.ts";

/** A file that is at the site. */
export interface Arrived extends Listed {
  /** Bytes. */
  readonly size: number;
}

/** Whether a failure may be that of all files, as the site is not there any more. */
const isOfSite = ({ kind, status }: SendFailure): boolean => kind === "network" || (kind === "server" && status !== null && mayPass(status));

const isFull = ({ code }: SendFailure): boolean => code === "disk_full";

export class Run {
  readonly arrived: Arrived[] = [];
  readonly failures: SendFailure["kind"][] = [];
  /** Bytes of files that arrived which the site had from an earlier run. */
  resumed = 0;
  /** Why the site takes no more: it went away for good, or is full. Then no other file was tried. @default it takes more */
  lost: SendFailure | undefined;
  readonly #site: Site;
  readonly #flags: PushFlags;
  readonly #io: Io;
  readonly #report: Report;
  readonly #stop = new AbortController();
  /** Ends all that is under way: the caller has had enough, or the site is gone. */
  readonly #signal: AbortSignal;
  #asked: Promise<void> | undefined;
  #files = 1;

  constructor(site: Site, flags: PushFlags, io: Io, report: Report) {
    this.#site = site;
    this.#flags = flags;
    this.#io = io;
    this.#report = report;
    this.#signal = AbortSignal.any([io.signal, this.#stop.signal]);
  }

  /** Settles when every file has arrived or failed, or when it is to stop. */
  async sendFiles(files: readonly PlannedFile[], journal: Journal): Promise<void> {
    this.#files = files.length;
    const { parallel, streamsFor } = scheduleOf(files, this.#flags);
    const lost = await journal.lostForms(files);
    const known = new Set(lost.flatMap((form) => form.files));
    const groups = groupsOf(files.filter((file) => !known.has(file)), { most: this.#site.together, parallel });
    const forms = [...lost, ...groups.map((some) => ({ key: randomUUID(), files: some, lost: false }))];
    await eachOf(forms, parallel, this.#signal, (form) => this.#sendForm(form, journal, streamsFor));
  }

  async #sendForm(form: Form, journal: Journal, streamsFor: Schedule["streamsFor"]): Promise<void> {
    const { files, lost } = form;
    const identities = await Promise.all(files.map((file) => identify(file).catch(() => undefined)));
    await journal.begin(form, identities);
    const results = await this.#send(form, streamsFor);
    if (results === undefined) {
      // One after the other: the forms at the same time are as many connections as were asked for.
      await eachOf(files, 1, this.#signal, (file) => this.#sendForm({ key: randomUUID(), files: [file], lost }, journal, streamsFor));
      return;
    }
    const ends = files.map((file, index) => ({ file, identity: identities[index], result: results[index] as SendResult }));
    await journal.add(ends.flatMap(({ file, identity, result }) => (result.ok && identity !== undefined ? [{ file, identity, sha256: result.sha256 }] : [])));
    if (this.#files > 1) await this.#judge(results, files);
    for (const { file, result } of ends) this.#ended(file, result);
  }

  /** Ends the run where a failure is that of all other files, too. */
  async #judge(results: readonly SendResult[], files: Form["files"]): Promise<void> {
    const failures = results.filter((result) => !result.ok);
    const full = failures.find(isFull);
    // For a larger file there may be no room while there is for others.
    if (full !== undefined && totalOf(files) <= TOGETHER) return this.#lose(full);
    const broken = failures.find(isOfSite);
    if (broken !== undefined) await this.#ask(broken);
  }

  #lose(failure: SendFailure): void {
    if (this.#signal.aborted) return;
    this.lost = failure;
    this.#stop.abort();
  }

  /** Asks whether the site is there still, once for all files that fail at that time; if not, the others would only fail like this one. */
  async #ask(failure: SendFailure): Promise<void> {
    this.#asked ??= this.#site.missing(this.#signal).then((why) => {
      this.#asked = undefined;
      if (why !== undefined) this.#lose(failure);
    });
    await this.#asked;
  }

  /** @returns nothing when each of the files has to go in a form of its own */
  async #send({ key, files, lost }: Form, streamsFor: Schedule["streamsFor"]): Promise<readonly SendResult[] | undefined> {
    const { together } = this.#site;
    if (together > 1 && files.length <= together && files.every((file) => maySendTogether(file) && !this.#site.wasBegun(file))) {
      const results = await this.#site.sendTogether(files, { ...this.#common(), key });
      if (results !== undefined) return results;
    }
    const [file] = files;
    if (file === undefined || files.length > 1) return undefined;
    const { sha256 } = file;
    const { restart } = this.#flags;
    return [await this.#site.send(file, { streams: streamsFor(file), mayBeThere: lost, restart, ...this.#optionsFor(file), ...(sha256 === undefined ? {} : { sha256 }) })];
  }

  /** Sends standard input. */
  async sendInput(): Promise<void> {
    const name = this.#flags.name ?? "";
    const source = { argument: name, name, size: undefined };
    this.#ended(source, await this.#site.sendStream(this.#io.input(), { name, ...this.#optionsFor(source) }));
  }

  #optionsFor(source: Source) {
    const onResumed = (bytes: number): void => this.#report.resumed(source, bytes);
    return { ...this.#common(), onResumed, onProgress: (sent: number) => this.#report.progress(source, sent) };
  }

  #common() {
    const { description } = this.#flags;
    return { signal: this.#signal, ...(description === undefined ? {} : { description }) };
  }

  #ended(source: Source, result: SendResult): void {
    // One sentence about the site says it of all files.
    if (this.lost !== undefined && !result.ok && (result.kind === "aborted" || isOfSite(result) || isFull(result))) return;
    if (result.ok) {
      this.arrived.push({ path: source.argument, sha256: result.sha256, size: result.size });
      this.resumed += result.resumed;
    } else {
      this.failures.push(result.kind);
    }
    // Whoever stopped it knows: the summary says how to go on.
    if (result.ok || result.kind !== "aborted") this.#report.ended(source, result);
  }
}
