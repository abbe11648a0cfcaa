/** One file in one POST. XMLHttpRequest, because fetch does not report the progress of what it sends. */
import { outcomeOf, problemOfBreakdown, type Outcome } from "./outcome.ts";

export interface SendOptions {
  /** Address of the POST. */
  readonly path: string;
  readonly description: string;
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

function formOf(file: File, description: string): FormData {
  const form = new FormData();
  form.append("file", file);
  form.append("description", description);
  form.append("submit", "Upload");
  return form;
}

/** Starts the upload of a file. */
export function send(file: File, options: SendOptions): Sending {
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
      if (isAborted) return;
      const breakdown = { isOnline: navigator.onLine, isReadable: readable, loaded, total: file.size, isSent };
      options.onOutcome({ kind: "fail", problem: problemOfBreakdown(breakdown) });
    });
  });
  request.open("POST", options.path);
  request.setRequestHeader("Accept", "application/json");
  request.send(formOf(file, options.description));
  return {
    abort() {
      isAborted = true;
      request.abort();
    },
  };
}
