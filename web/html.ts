/** HTML text by tagged template: every value is escaped unless it is HTML already. */

/** Text that is HTML already; only {@link html} makes one. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What may stand in a template: nothing is printed for null, undefined, false and true. */
export type HtmlValue = Html | string | number | boolean | null | undefined | readonly HtmlValue[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/**
 * Escapes a text for element content and for quoted attribute values. Control characters that HTML forbids
 * (all but tab, line feed, carriage return) become U+FFFD, as a parser would make of NUL.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? character)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, "\ufffd");
}

function print(value: HtmlValue): string {
  if (value === null || value === undefined || typeof value === "boolean") return "";
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(print).join("");
  return escapeHtml(String(value));
}

/** Template tag. Values belong in element content or between the quotes of an attribute, nowhere else. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0] ?? "";
  values.forEach((value, index) => {
    text += print(value) + (strings[index + 1] ?? "");
  });
  return new Html(text);
}

/** Text that the program itself wrote (a style sheet), never a value from outside. */
export function trusted(text: string): Html {
  return new Html(text);
}
