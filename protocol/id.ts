/**
 * Identifiers of uploads: ULIDs (https://github.com/ulid/spec), 48 bits of milliseconds since 1970 and
 * 80 random bits as 26 characters of Crockford's base32. They sort by the time they were made.
 */

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const timeLength = 10;
const randomBits = 80n;

/** First character at most 7: 26 base32 characters would hold 130 bits, an id has 128. */
const pattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** Whether a text is an id as {@link makeIdSource} writes them (upper case only). */
export function isId(text: string): boolean {
  return pattern.test(text);
}

/** Milliseconds since 1970 at which an id was made. The id must satisfy {@link isId}. */
export function idTime(id: string): number {
  let time = 0;
  for (const character of id.slice(0, timeLength)) time = time * 32 + alphabet.indexOf(character);
  return time;
}

/** Smallest id of a millisecond: every id made earlier sorts before it. */
export function firstIdOf(time: number): string {
  return encode(BigInt(time) << randomBits);
}

function encode(value: bigint): string {
  let text = "";
  for (let rest = value, i = 0; i < 26; i += 1, rest >>= 5n) text = alphabet[Number(rest & 31n)] + text;
  return text;
}

function randomValue(): bigint {
  let value = 0n;
  for (const byte of crypto.getRandomValues(new Uint8Array(10))) value = (value << 8n) | BigInt(byte);
  return value;
}

/**
 * A source of ids, each greater than the one before, also within one millisecond and when the clock is set back.
 * @param now milliseconds since 1970
 */
export function makeIdSource(now: () => number = Date.now): () => string {
  let last = -1n;
  return () => {
    const fresh = (BigInt(now()) << randomBits) | randomValue();
    last = fresh >> randomBits > last >> randomBits ? fresh : last + 1n;
    return encode(last);
  };
}
