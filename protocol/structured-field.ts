/** Structured fields of HTTP (RFC 9651): items and dictionaries, as far as uploads ask for them. */

/** A value; its parameters are read over, as no field of uploads has any. */
export type Item =
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "bytes"; readonly base64: string }
  /** A value of another type, or an inner list. */
  | { readonly kind: "other" };

const other: Item = { kind: "other" };

const keyPattern = /[a-z*][a-z0-9_.*-]*/y;

/** Each type as it is written (sections 3.3.1 to 3.3.8); of two that match the first counts. */
const itemPatterns: readonly (readonly [RegExp, (text: string) => Item])[] = [
  [/\?[01]/y, (text) => ({ kind: "boolean", value: text === "?1" })],
  [/-?\d{1,12}\.\d{1,3}/y, () => other],
  [/-?\d{1,15}/y, (text) => ({ kind: "integer", value: Number(text) })],
  [/:[A-Za-z0-9+/]*={0,2}:/y, (text) => ({ kind: "bytes", base64: text.slice(1, -1) })],
  [/"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y, () => other],
  [/[A-Za-z*][!#$%&'*+.^_`|~:/0-9A-Za-z-]*/y, () => other],
  [/@-?\d{1,15}/y, () => other],
  [/%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/y, () => other],
];

/** Whoever reads on throws it; whoever began answers `undefined`. */
class SyntaxProblem extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get ended(): boolean {
    return this.#at === this.#text.length;
  }

  /** What a sticky pattern matches here; `undefined`, and nothing is read, when it does not. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  must(pattern: RegExp): string {
    const found = this.take(pattern);
    if (found === undefined) throw new SyntaxProblem();
    return found;
  }

  bareItem(): Item {
    for (const [pattern, make] of itemPatterns) {
      const text = this.take(pattern);
      if (text !== undefined) return make(text);
    }
    throw new SyntaxProblem();
  }

  parameters(): void {
    while (this.take(/; */y) !== undefined) {
      this.must(keyPattern);
      if (this.take(/=/y) !== undefined) this.bareItem();
    }
  }

  item(): Item {
    const item = this.bareItem();
    this.parameters();
    return item;
  }

  /** A member's value: an item, or a list of items in parentheses. */
  member(): Item {
    if (this.take(/\( */y) === undefined) return this.item();
    while (this.take(/\)/y) === undefined) {
      this.item();
      if (this.take(/ +/y) === undefined) {
        this.must(/\)/y);
        break;
      }
    }
    this.parameters();
    return other;
  }
}

function reading<T>(text: string, read: (reader: Reader) => T): T | undefined {
  const reader = new Reader(text.replace(/^ +| +$/g, ""));
  try {
    const value = read(reader);
    return reader.ended ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined;
    throw error;
  }
}

/** The item that a field is (section 4.2.3); `undefined` when it is not well-formed. */
export function parseItem(text: string): Item | undefined {
  return reading(text, (reader) => reader.item());
}

/** The members of a dictionary (section 4.2.2), of two with one key the last; `undefined` when it is not well-formed. */
export function parseDictionary(text: string): ReadonlyMap<string, Item> | undefined {
  return reading(text, (reader) => {
    const members = new Map<string, Item>();
    while (!reader.ended) {
      const key = reader.must(keyPattern);
      if (reader.take(/=/y) !== undefined) {
        members.set(key, reader.member());
      } else {
        reader.parameters();
        members.set(key, { kind: "boolean", value: true });
      }
      if (reader.take(/[ \t]*/y) !== undefined && reader.ended) break;
      reader.must(/,[ \t]*(?=[^ \t])/y);
    }
    return members;
  });
}
