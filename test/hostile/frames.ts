/** Frame types of HTTP/2 (RFC 9113, section 6). */
export const frameTypes = { data: 0, headers: 1, priority: 2, rstStream: 3, settings: 4, pushPromise: 5, ping: 6, goAway: 7, windowUpdate: 8, continuation: 9 } as const;

/** Frame flags; those of DATA and HEADERS. */
export const flags = { endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** What an HTTP/2 client says first. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame; the length is that of the payload unless another one is asked for. */
export function frame(type: number, flagBits: number, stream: number, payload: Buffer = Buffer.alloc(0), length: number = payload.length): Buffer {
  const start = Buffer.alloc(9);
  start.writeUIntBE(length & 0xffffff, 0, 3);
  start.writeUInt8(type, 3);
  start.writeUInt8(flagBits, 4);
  start.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([start, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** An integer of HPACK in what seven bits leave room for (RFC 7541, section 5.1). */
function hpackLength(length: number): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A field block of literals, neither indexed nor Huffman-coded (RFC 7541, section 6.2.2). */
export function fieldBlock(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer[] => [hpackLength(Buffer.byteLength(value, "latin1")), Buffer.from(value, "latin1")];
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), ...text(name), ...text(value)]));
}

/** SETTINGS with pairs of identifier and value. */
export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const one = ([identifier, value]: readonly [number, number]): Buffer => Buffer.concat([Buffer.from([identifier >> 8, identifier & 0xff]), uint32(value)]);
  return frame(frameTypes.settings, 0, 0, Buffer.concat(pairs.map(one)));
}

/** How many streams the server has ended, be it by a reset; every one when it has sent GOAWAY. */
export function streamsEnded(received: Buffer): number {
  const ended = new Set<number>();
  for (let at = 0; at + 9 <= received.length; ) {
    const length = received.readUIntBE(at, 3);
    const [type, bits] = [received[at + 3]!, received[at + 4]!];
    const carries = type === frameTypes.headers || type === frameTypes.data;
    if (at + 9 + length <= received.length) {
      if (type === frameTypes.goAway) return Infinity;
      if (type === frameTypes.rstStream || (carries && (bits & flags.endStream) !== 0)) ended.add(received.readUInt32BE(at + 5));
    }
    at += 9 + length;
  }
  return ended.size;
}

/** Statuses of the answers in what a server of HTTP/2 has sent; nginx's way to write them is enough. */
export function statusesIn(received: Buffer): number[] {
  const indexed: Readonly<Record<number, number>> = { 0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500 };
  const found: number[] = [];
  for (let at = 0; at + 9 <= received.length; ) {
    const length = received.readUIntBE(at, 3);
    if (received[at + 3] === frameTypes.headers && at + 9 + length <= received.length) {
      let field = at + 9;
      while ((received[field]! & 0xe0) === 0x20) field++;
      found.push(indexed[received[field]!] ?? Number(received.subarray(field + 2, field + 5).toString("latin1")));
    }
    at += 9 + length;
  }
  return found;
}
