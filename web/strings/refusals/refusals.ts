/** What the service's refusals are in the words of the pages. The table of protocol/errors.ts has those for programs. */
import { type ErrorCode, errorKinds } from "../../../protocol/errors.ts";
import type { Language } from "../languages.ts";
import { de } from "./de.ts";
import { fr } from "./fr.ts";

/** What was wrong, and what to do. */
export interface Sentences {
  readonly message: string;
  readonly hint: string;
}

/** A row for every code: a new one does not compile before it is translated. */
export type Refusals = Readonly<Record<ErrorCode, Sentences>>;

/** In English the table's own sentences, but where they speak of headers to somebody who only pressed a button. */
const en: Refusals = {
  ...errorKinds,
  bad_header: { message: errorKinds.bad_header.message, hint: "Reload this page and try again; if it happens again, give the operator of the site the request id." },
  bad_query: { message: errorKinds.bad_query.message, hint: "Open the list anew, and search with at most 200 characters." },
  upload_final: { message: errorKinds.upload_final.message, hint: "Discard it and upload the file again." },
  wrong_offset: { message: errorKinds.wrong_offset.message, hint: "Retry: it goes on from where the server stands." },
  taken_over: { message: "Another window or program is sending the same bytes of this upload.", hint: "Let it finish there, or end it and retry." },
  other_length: { message: errorKinds.other_length.message, hint: "The file has changed since: discard the upload and begin anew." },
  beyond_end: { message: errorKinds.beyond_end.message, hint: "The file has changed since: discard the upload and begin anew." },
  tus_version: { message: "The server speaks another version of the protocol than this page.", hint: "Reload this page." },
  wrong_body_type: { message: errorKinds.wrong_body_type.message, hint: "Reload this page and retry." },
};

const all: Readonly<Record<Language, Refusals>> = { en, de, fr };

/** An error as it came over the wire. */
export interface WireError extends Sentences {
  /** @default none: whoever answered is not the service */
  readonly code?: string;
}

/** What the page says of an error. */
export interface Explained extends Sentences {
  /** The server's own, more exact sentence, in English. @default none: it says no more than the message */
  readonly detail?: string;
}

/** An error in a language; one that the table does not know keeps its own words. */
export function explain(language: Language, { code, message, hint }: WireError): Explained {
  if (code === undefined || !Object.hasOwn(errorKinds, code)) return { message, hint };
  const sentences = all[language][code as ErrorCode];
  const isExact = message !== errorKinds[code as ErrorCode].message;
  if (!isExact) return { message: sentences.message, hint: sentences.hint };
  return language === "en" ? { message, hint: sentences.hint } : { message: sentences.message, hint: sentences.hint, detail: message };
}
