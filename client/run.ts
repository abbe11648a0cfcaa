/** Sends what was planned, several files at a time, and remembers how each ended. */
import { randomUUID } from "node:crypto";
import type { PushFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import type { Form, Journal } from "./journal.ts";
import type { Listed } from "./manifest.ts";
import type { PlannedFile } from "./plan.ts";
import type { Report, Source } from "./report/report.ts";
import { eachOf, groupsOf, type Schedule, scheduleOf } from "./schedule.ts";
import type { SendFailure, SendResult } from "./send/answer.ts";
import { maySendTogether, type Site } from "./send/site.ts";
import { identify } from "./send/local-file.ts";

/** A file that is at the site. */
export interface Arrived extends Listed {
  /** Bytes. */
  readonly size: number;
}

export class Run {
  readonly arrived: Arrived[] = [];
  readonly failures: SendFailure["kind"][] = [];
  /** Bytes of files that arrived which the site had from an earlier run. */
  resumed = 0;
  readonly #site: Site;
  readonly #flags: PushFlags;
  readonly #io: Io;
  readonly #report: Report;

  constructor(site: Site, flags: PushFlags, io: Io, report: Report) {
    this.#site = site;
    this.#flags = flags;
    this.#io = io;
    this.#report = report;
  }

  /** Settles when every file has arrived or failed, or when it is to stop. */
  async sendFiles(files: readonly PlannedFile[], journal: Journal): Promise<void> {
    const { parallel, streamsFor } = scheduleOf(files, this.#flags);
    const lost = await journal.lostForms(files);
    const known = new Set(lost.flatMap((form) => form.files));
    const groups = groupsOf(files.filter((file) => !known.has(file)), { most: this.#site.together, parallel });
    const forms = [...lost, ...groups.map((some) => ({ key: randomUUID(), files: some, lost: false }))];
    await eachOf(forms, parallel, this.#io.signal, (form) => this.#sendForm(form, journal, streamsFor));
  }

  async #sendForm(form: Form, journal: Journal, streamsFor: Schedule["streamsFor"]): Promise<void> {
    const { files, lost } = form;
    const identities = await Promise.all(files.map((file) => identify(file).catch(() => undefined)));
    await journal.begin(form, identities);
    const results = await this.#send(form, streamsFor);
    if (results === undefined) {
      // One after the other: the forms at the same time are as many connections as were asked for.
      await eachOf(files, 1, this.#io.signal, (file) => this.#sendForm({ key: randomUUID(), files: [file], lost }, journal, streamsFor));
      return;
    }
    const ends = files.map((file, index) => ({ file, identity: identities[index], result: results[index] as SendResult }));
    await journal.add(ends.flatMap(({ file, identity, result }) => (result.ok && identity !== undefined ? [{ file, identity, sha256: result.sha256 }] : [])));
    for (const { file, result } of ends) this.#ended(file, result);
  }

  /** @returns nothing when each of the files has to go in a form of its own */
  async #send({ key, files, lost }: Form, streamsFor: Schedule["streamsFor"]): Promise<readonly SendResult[] | undefined> {
    const { together } = this.#site;
    if (together > 1 && files.length <= together && files.every(maySendTogether)) {
      const results = await this.#site.sendTogether(files, { ...this.#common(), key });
      if (results !== undefined) return results;
    }
    const [file] = files;
    if (file === undefined || files.length > 1) return undefined;
    const { sha256 } = file;
    return [await this.#site.send(file, { streams: streamsFor(file), mayBeThere: lost, ...this.#optionsFor(file), ...(sha256 === undefined ? {} : { sha256 }) })];
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
    return { signal: this.#io.signal, ...(description === undefined ? {} : { description }) };
  }

  #ended(source: Source, result: SendResult): void {
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
