/** `POST /internal/complete`: nginx has written an upload and asks for it to be filed. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { acceptsHtml } from "../../protocol/accept.ts";
import { type CompletedFile, readCompletion } from "../../protocol/completion.ts";
import { digestNames, disagrees } from "../../protocol/digest-field.ts";
import { filesDigestHeader, filesDigestText } from "../../protocol/form-files.ts";
import { differs, readDigests } from "../announced.ts";
import type { Middleware, RequestContext, Service } from "../context.ts";
import { readForm } from "../form.ts";
import { submissionOf } from "../submission.ts";
import type { UploadRecord } from "../records/records.ts";
import { Refusal } from "../refusal.ts";
import { digestHeader } from "../sessions/digest-header.ts";
import { completeForm, isRanged } from "../store/complete.ts";
import type { StorePaths } from "../store/paths.ts";
import { sourceOf } from "../store/verify.ts";
import { readUploadTerms } from "../upload-terms.ts";
import { completionAnswer } from "../views.ts";

/** Most new uploads that the list is asked to point out: an address has a length. */
const mostPointedOut = 50;
const mostProblemsShown = 5;

function answer(context: RequestContext, records: readonly UploadRecord[], terminal: boolean): void {
  context.vary("Accept");
  context.set("Cache-Control", "no-store");
  const [only] = records.length === 1 ? records : [];
  context.set(digestHeader(context.get("Want-Repr-Digest"), only?.checksums));
  if (!terminal && acceptsHtml(context.get("Accept"))) {
    const ids = records.slice(0, mostPointedOut).map((record) => record.id);
    context.redirect(`/list?new=${ids.join(",")}`);
    context.status = 303;
    return;
  }
  context.body = completionAnswer(records);
}

/**
 * Most bytes of a form's file that are read again for a digest which nginx has not computed. nginx waits for the answer
 * only so long, and then removes the file; a disk of 100 MB/s has read it in 86 s. What is kept between two requests has
 * no such limit: it is asked for again.
 */
const mostReadAgain = 8 * 1024 ** 3;

/** What nginx counted; it sends no header where there was no file. */
function filesWritten(context: RequestContext): number {
  const header = context.get("X-Slipway-Files");
  return /^\d{1,6}$/.test(header) ? Number(header) : 0;
}

/** Refuses a file that differs from its `Repr-Digest`, which says the digest of one file: a form may have no more then. */
async function checkFile(context: RequestContext, paths: StorePaths, files: readonly CompletedFile[]): Promise<void> {
  const announced = readDigests("Repr-Digest", context.get("Repr-Digest"));
  if (announced.length === 0 || files.length === 0) return;
  const [file, second] = files as [CompletedFile, ...CompletedFile[]];
  if (second !== undefined) throw new Refusal("bad_header", `Repr-Digest: is the digest of one file, and this form has ${files.length}; send each in a request of its own.`);
  const source = sourceOf(paths, file.path);
  if (file.size > mostReadAgain && !isRanged(source) && announced.every(({ checksum }) => file.checksums[checksum] === undefined)) {
    throw new Refusal("bad_header", `Repr-Digest: of a file of ${file.size} bytes in a form, this site compares only what it computes as it comes: ${digestNames(file.checksums).join(", ") || "nothing"}.`);
  }
  if (await differs(announced, file.checksums, join(paths.incoming, source))) throw new Refusal("digest_mismatch");
}

/** Refuses files that differ from what their sender has, where it says so of all of them together. */
function checkFiles(context: RequestContext, files: readonly CompletedFile[]): void {
  const header = context.get(filesDigestHeader);
  if (header === "") return;
  const announced = readDigests(filesDigestHeader, header);
  const checksums = files.map((file) => file.checksums);
  // A site that does not compute it has nothing to compare.
  if (checksums.some(({ sha256 }) => sha256 === undefined)) return;
  const sha256 = createHash("sha256").update(filesDigestText(checksums)).digest("hex");
  if (disagrees(announced, { sha256 })) throw new Refusal("digest_mismatch");
}

export function completeRoute(service: Service): Middleware {
  return async (context) => {
    const { checksums, maxFileSize } = readUploadTerms((name) => context.get(name));
    const { form, problems } = readCompletion(await readForm(context.req), checksums, filesWritten(context));
    if (problems.length > 0) {
      const more = problems.length > mostProblemsShown ? `; and ${problems.length - mostProblemsShown} more` : "";
      throw new Refusal("bad_form", `${problems.slice(0, mostProblemsShown).join("; ")}${more}.`);
    }
    checkFiles(context, form.files);
    await checkFile(context, service.store.paths, form.files);
    const remoteAddress = context.get("X-Real-IP") || null;
    const submission = submissionOf(context.get("Idempotency-Key"), context.state.requestId);
    const records = await completeForm(service.store, { submission, remoteAddress, maxFileSize }, form);
    for (const { id, name, size, target } of records) context.state.log.info({ id, name, size, target }, "upload complete");
    answer(context, records, form.terminal);
  };
}
