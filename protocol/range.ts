/** `Range` (RFC 9110, section 14.2), as nginx reads it. */

const oneRange = /^(?:(\d+) *-(?: *(\d+))?|-(\d+))$/;

/** Whether a request for ranges is answered with 416: none of them lies in a representation of so many bytes, or one is malformed. */
export function isUnsatisfiable(range: string, size: number): boolean {
  const [, set] = /^bytes=(.*)$/i.exec(range) ?? [];
  // Of another unit, or none at all: the whole is sent.
  if (set === undefined) return false;
  let some = false;
  for (const text of set.split(",")) {
    const match = oneRange.exec(text.trim());
    if (match === null) return true;
    const [, first, last, suffix] = match;
    const from = first === undefined ? Math.max(0, size - Number(suffix)) : Number(first);
    const to = last === undefined ? size - 1 : Math.min(Number(last), size - 1);
    // An empty range at the beginning: nginx sends the whole.
    if (from === 0 && to < 0) return false;
    some ||= from <= to;
  }
  return !some;
}
