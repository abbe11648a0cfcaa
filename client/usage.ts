/** What the command says of itself. */
import { environment, groups, type Option, optionRows, spelled } from "./options.ts";
import { exitCodes } from "./exit-codes.ts";

/** Thrown for a command line that cannot be understood; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Thrown when the user stops the command before anything is sent. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

const COLUMNS = 79;
const INDENT = 25;

/** Words in lines of at most so many columns. */
function wrap(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function entry(term: string, text: string): string {
  const [first = "", ...more] = wrap(text, COLUMNS - INDENT);
  const start = `  ${term}`.padEnd(INDENT);
  const begun = start.length > INDENT ? `${start}\n${" ".repeat(INDENT)}${first}` : `${start}${first}`;
  return [begun, ...more.map((line) => " ".repeat(INDENT) + line)].join("\n");
}

const help = ({ help: text, otherwise, repeatable }: Option): string =>
  `${text}${repeatable === true ? "; may be repeated" : ""}${otherwise === undefined ? "" : ` (default: ${otherwise})`}`;

const optionTexts = Object.entries(groups)
  .map(([group, title]) => `${title}\n${optionRows.filter(([, row]) => row.group === group).map((row) => entry(spelled(row), help(row[1]))).join("\n")}`)
  .join("\n\n");

/** The text of `slipway push --help`. */
export const USAGE = `Usage: slipway push [options] FILE... URL
       slipway push [options] --name NAME - URL
       slipway completion bash|zsh|fish

Sends files and folders to an upload site and checks that they arrived whole: the
SHA-256 computed while sending must be the one that the site computed while
receiving. The same command again goes on where the last one stopped.

${entry("FILE", "a file, a folder with all that is in it, or - for standard input. FOLDER/ leaves the folder's own name out of the names sent")}
${entry("URL", "the site (https://host:port) or its upload address, as its page shows it")}

${optionTexts}

Environment
${environment.map(([name, text]) => entry(name, text)).join("\n")}

Exit code
${Object.entries(exitCodes).map(([code, text]) => entry(code.padStart(3), text)).join("\n")}`;
