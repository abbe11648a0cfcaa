/** Structured fields of HTTP (RFC 9651): items and dictionaries, as far as uploads ask for them. */
import * as structured from "structured-headers";

/** A value; its parameters are read over, as no field of uploads has any. */
export type Item =
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  /** A value of another type, or an inner list. */
  | { readonly kind: "other" };

function itemOf([value]: structured.Item | structured.InnerList): Item {
  if (typeof value === "boolean") return { kind: "boolean", value };
  if (typeof value === "number" && Number.isInteger(value)) return { kind: "integer", value };
  return value instanceof ArrayBuffer ? { kind: "bytes", value: new Uint8Array(value) } : { kind: "other" };
}

function reading<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof structured.ParseError) return undefined;
    throw error;
  }
}

/** The item that a field is (section 4.2.3); `undefined` when it is not well-formed. */
export function parseItem(text: string): Item | undefined {
  const item = reading(() => itemOf(structured.parseItem(text)));
  // The library has one type for numbers: 1.0 is a Decimal.
  return item?.kind === "integer" && /^ *-?\d+\./.test(text) ? { kind: "other" } : item;
}

/** The members of a dictionary (section 4.2.2), of two with one key the last; `undefined` when it is not well-formed. */
export function parseDictionary(text: string): ReadonlyMap<string, Item> | undefined {
  return reading(() => new Map([...structured.parseDictionary(text)].map(([key, member]) => [key, itemOf(member)])));
}
