/** One file in one POST. XMLHttpRequest, because fetch does not report the progress of what it sends. */
import { outcomeOf, type Breakdown, type Outcome } from "./outcome.ts";
import { endWhenSilent } from "./silence.ts";

export interface SendOptions {
  /** Address of the POST. */
  readonly path: string;
  readonly description: string;
  /** The same for each try of a file, so that it is filed once. */
  readonly key: string;
  /** Where the file was found, as in `photos/2026`; empty for a file by itself. */
  readonly folder: string;
  /** @param loaded Bytes of the file handed to the network so far. */
  readonly onProgress: (loaded: number) => void;
  /** All bytes are sent; the answer is still to come. */
  readonly onSent: () => void;
  /** The end, exactly once, but for an aborted request, which is silent. */
  readonly onOutcome: (outcome: Outcome) => void;
}

/** A request under way. */
export interface Sending {
  abort(): void;
}

/** Whether a file that was chosen can still be read: it may have been moved or removed since. */
export async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** A file's name with the folders before it, which is how a site is told of them. */
export function pathOf(file: File, folder: string): string {
  return folder === "" ? file.name : `${folder}/${file.name}`;
}

function formOf(file: File, { description, folder }: SendOptions): FormData {
  const form = new FormData();
  form.append("file", file);
  if (folder !== "") form.append("relativePath", pathOf(file, folder));
  form.append("description", description);
  form.append("submit", "Upload");
  return form;
}

/**
 * Sends a file once.
 * @param silence Longest that it may be silent, ms; null when it may be for ever.
 * @param onBroken No answer came: the end in place of `onOutcome`.
 */
export function send(file: File, options: SendOptions, silence: number | null, onBroken: (breakdown: Breakdown) => void): Sending {
  const request = new XMLHttpRequest();
  let loaded = 0;
  let isSent = false;
  let isAborted = false;
  request.upload.addEventListener("progress", (event) => {
    // The report counts the form's own lines too: a few hundred bytes that are not the file's.
    loaded = Math.min(file.size, event.loaded);
    options.onProgress(loaded);
  });
  request.upload.addEventListener("load", () => {
    isSent = true;
    options.onSent();
  });
  request.addEventListener("load", () => options.onOutcome(outcomeOf(request.status, request.responseText)));
  request.addEventListener("error", () => {
    void isReadable(file).then((readable) => {
      if (!isAborted) onBroken({ isOnline: navigator.onLine, isReadable: readable, loaded, total: file.size, isSent });
    });
  });
  request.open("POST", options.path);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("Idempotency-Key", `"${options.key}"`);
  if (silence !== null) endWhenSilent(request, { sending: silence, answering: silence });
  request.send(formOf(file, options));
  return {
    abort() {
      isAborted = true;
      request.abort();
    },
  };
}
