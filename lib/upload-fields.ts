/**
 * Value types of the upload module's own language: templates of form fields and the regular
 * expressions of the fields that pass on.
 */

import type { ValueType } from "./allow.ts";

/** Variables that are known when a file starts. */
export const START_VARIABLES = ["upload_field_name", "upload_file_name", "upload_content_type", "upload_tmp_path", "upload_file_number"] as const;

/** Variables that are known only when a file has ended. */
export const END_VARIABLES = [
  "upload_file_size",
  "upload_file_md5",
  "upload_file_md5_uc",
  "upload_file_sha1",
  "upload_file_sha1_uc",
  "upload_file_sha256",
  "upload_file_sha256_uc",
  "upload_file_sha512",
  "upload_file_sha512_uc",
  "upload_file_crc32",
] as const;

const PIECE = /\$([A-Za-z0-9_]+)|[A-Za-z0-9_.-]/gy;

/** Why the text is not a template of these variables, or undefined when it is. */
function templateFault(template: string, variables: readonly string[]): string | undefined {
  let end = 0;
  for (const piece of template.matchAll(PIECE)) {
    end = piece.index + piece[0].length;
    if (piece[1] === undefined || variables.includes(piece[1])) continue;
    if ((END_VARIABLES as readonly string[]).includes(piece[1])) return `$${piece[1]} is not known before the file has ended`;
    return `$${piece[1]} is not a variable of the upload module`;
  }
  return end === template.length ? undefined : "a character that is not allowed";
}

function template(name: string, variables: readonly string[], min: number): ValueType<string> {
  const isName = min > 0;
  const fix = `use letters, digits, _ - . and the variables ${variables.map((v) => `$${v}`).join(", ")}`;
  return {
    name,
    fix,
    parse(value, path, report) {
      if (typeof value !== "string" || value.length < min || value.length > 200) {
        return void report({ path, what: `not a ${name}`, got: value, fix });
      }
      // JavaScript moves such keys to the front, and the fields of a form have an order.
      const fault = isName && /^[0-9]+$/.test(value) ? "nothing but digits" : templateFault(value, variables);
      if (fault === undefined) return value;
      const late = fault.includes("not known before") ? "move it to upload.aggregateFields" : fix;
      return void report({ path, what: `not a ${name}: ${fault}`, got: value, fix: late });
    },
  };
}

/** Name of a form field that is set when a file starts. */
export const startName = template("field name template", START_VARIABLES, 1);
/** Its value. */
export const startValue = template("field value template", START_VARIABLES, 0);
/** Name of a form field that is set when a file has ended. */
export const endName = template("field name template", START_VARIABLES, 1);
/** Its value. */
export const endValue = template("field value template", [...START_VARIABLES, ...END_VARIABLES], 0);

// Between double quotes nginx itself reads `\"`, `\'`, `\\`, `\t`, `\r` and `\n`, and takes `$name` for a variable
// where it knows variables; so these stay out, and `$` may only end an alternative. A `{` would need `}`, which
// Handlebars and people misread; `#` is left out although it is harmless between quotes.
const REGEX_PIECE = /\\[.dDwWsSbB|^()[\]?*+/-]|\$(?=$|[)|])|[A-Za-z0-9_.()|^[\]*+?:,@/-]/gy;

/** Regular expression (PCRE) of a safe set of characters. */
export const fieldRegex: ValueType<string> = {
  name: "safe regular expression",
  fix: "use letters, digits and _ . - ( ) | ^ [ ] * + ? : , @ /, a $ only at the end of an alternative, and a backslash only before . d D w W s S b B - / | ^ ( ) [ ] ? * +",
  parse(value, path, report) {
    if (typeof value !== "string" || value.length > 200) return void report({ path, what: "not a regular expression", got: value, fix: fieldRegex.fix });
    let end = 0;
    for (const piece of value.matchAll(REGEX_PIECE)) end = piece.index + piece[0].length;
    if (end !== value.length) {
      return void report({ path, what: `not a safe regular expression: ${JSON.stringify(value[end])} is not allowed there`, got: value, fix: fieldRegex.fix });
    }
    // JavaScript's grammar stands in for PCRE's; `[]` and `[^]` are the one place where it takes more.
    if (/\[\^?\]/.test(value)) return void report({ path, what: "not a regular expression: an empty [ ]", got: value, fix: "name the characters between [ and ]" });
    try {
      new RegExp(value);
      return value;
    } catch (error) {
      const reason = (error as Error).message.replace(/^.*: /, "").toLowerCase();
      return void report({ path, what: `not a regular expression: ${reason}`, got: value, fix: "correct it; the whole of a field's name is ^name$" });
    }
  },
};
