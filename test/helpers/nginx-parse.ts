/** Reads nginx.conf as nginx's own reader does, and refuses what is not plainly one thing. */

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Directives inside the braces; null where there are none. */
  readonly block: readonly Directive[] | null;
}

/** A word is wrapped, so that a quoted ";" is not taken for the end of a directive. */
interface Word {
  readonly text: string;
}
type Token = Word | ";" | "{" | "}";

/** What nginx makes of a backslash: before a quote or a backslash it goes, \t \r \n are the characters, else both stay. */
function unescape(pair: string): string {
  const second = pair[1]!;
  if (second === '"' || second === "'" || second === "\\") return second;
  return { t: "\t", r: "\r", n: "\n" }[second] ?? pair;
}

function readWord(text: string, start: number): { word: Word; end: number } {
  const quote = text[start] === '"' || text[start] === "'" ? text[start]! : null;
  let value = "";
  let i = quote === null ? start : start + 1;
  for (; ; i++) {
    const char = text[i];
    if (char === undefined) throw new Error("nginx.conf ends inside a word");
    if (char === "\\") {
      value += unescape(text.slice(i, i + 2));
      i++;
    } else if (quote === null ? /[\s;{]/.test(char) : char === quote) {
      break;
    } else if (quote === null && /["'}]/.test(char)) {
      throw new Error(`nginx.conf has ${char} inside the word ${value}`);
    } else {
      value += char;
    }
  }
  if (quote === null) return { word: { text: value }, end: i };
  const after = text[i + 1];
  if (after === undefined || !/[\s;{]/.test(after)) throw new Error(`nginx.conf has no space after the quoted word ${value}`);
  return { word: { text: value }, end: i + 1 };
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (let i = 0; i < text.length; ) {
    const char = text[i]!;
    if (/\s/.test(char)) i++;
    else if (char === "#") i = text.indexOf("\n", i) + 1 || text.length;
    else if (char === ";" || char === "{" || char === "}") {
      found.push(char);
      i++;
    } else {
      const { word, end } = readWord(text, i);
      found.push(word);
      i = end;
    }
  }
  return found;
}

/**
 * The directives of a configuration.
 *
 * @throws {Error} where braces, quotes or semicolons do not close.
 */
export function parseNginx(text: string): readonly Directive[] {
  if (text.includes("\0")) throw new Error("nginx.conf has a NUL");
  const stack: Directive[][] = [[]];
  let words: Word[] = [];
  const take = (block: Directive[] | null): void => {
    const [name, ...args] = words;
    if (name === undefined) throw new Error("nginx.conf has a directive without a name");
    stack.at(-1)!.push({ name: name.text, args: args.map((word) => word.text), block });
    words = [];
  };
  for (const token of tokens(text)) {
    if (typeof token !== "string") words.push(token);
    else if (token === ";") take(null);
    else if (token === "{") {
      const block: Directive[] = [];
      take(block);
      stack.push(block);
    } else if (words.length > 0 || stack.length === 1) throw new Error("nginx.conf has a } too many or a ; too few");
    else stack.pop();
  }
  if (words.length > 0 || stack.length !== 1) throw new Error("nginx.conf ends inside a directive");
  return stack[0]!;
}

/** All directives of that name, at any depth. */
export function directives(tree: readonly Directive[], name: string): Directive[] {
  return tree.flatMap((d) => [...(d.name === name ? [d] : []), ...directives(d.block ?? [], name)]);
}
