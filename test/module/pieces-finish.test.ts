import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { pieceHead, piecesSite } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange } from "../helpers/wire.ts";

const MiB = 1024 * 1024;
const LAST = 4 * MiB;

/** Files of zeros: SHA-256 of all of it, and its chaining words (FIPS 180-4, section 6.2) before the last 4 MiB. */
const files = [
  { size: 64 * MiB, words: "df6a8be0cb99228034e16e0d401fb86193dc7978f20c93e197cbb012ce64c636", sha256: "3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351" },
  { size: 64 * 1024 * MiB, words: "ad211b6c075bfdfb71b869edb737ecab68c31faeddb060c465bd8ceac4267ad3", sha256: "57b295ba06757c81edca2d1e299133b2f059bea28e6cf9f438d7741611c36541" },
];

/** The first version of a state, of a file of which all but the last bytes are there and digested; docs/internals/upload-state.md. */
function stateFile(path: string, { size, words }: (typeof files)[number]): Buffer {
  const there = BigInt(size - LAST);
  const body = Buffer.alloc(24 + path.length + 16 + 12 + 32);
  body.writeUInt32LE(path.length, 0);
  body.writeBigUInt64LE(1n, 8);
  body.writeUInt32LE(44, 16);
  body.write(path, 24, "latin1");
  body.writeBigInt64LE(there, 24 + path.length + 8);
  const digest = body.subarray(24 + path.length + 16);
  digest.writeUInt8(1, 0);
  digest.writeUInt8(4, 1);
  digest.writeBigUInt64LE(there, 4);
  Buffer.from(words, "hex").swap32().copy(digest, 12);

  const header = Buffer.alloc(512);
  header.write("UPLSTATE", 0, "latin1");
  header.writeUInt32LE(1, 8);
  header.writeBigUInt64LE(1n, 16);
  header.writeBigInt64LE(BigInt(size), 40);
  header.writeBigInt64LE(there, 48);
  header.writeBigUInt64LE(1024n, 72);
  header.writeBigUInt64LE(BigInt(body.length), 80);
  header.writeUInt32LE(crc32(body), 88);
  header.writeUInt32LE(crc32(header.subarray(0, 508)), 508);
  return Buffer.concat([Buffer.alloc(512), header, body]);
}

/** Bytes that the workers have read from files (proc_pid_io(5): not from sockets, which are received from). */
const bytesRead = (nginx: Nginx): number =>
  nginx.workers().reduce((sum, pid) => sum + Number(/^rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]), 0);

describe("module: the last piece of a file", () => {
  it.each(files)("ends a file of $size bytes without reading what was digested before", async (file) => {
    await withNginx(piecesSite({ workers: 1 }), async (nginx) => {
      const path = `${nginx.store}/file`;
      writeFileSync(path, "");
      truncateSync(path, file.size - LAST);
      writeFileSync(`${path}.state`, stateFile(path, file));
      const before = bytesRead(nginx);
      const began = performance.now();
      const { status } = await exchange(nginx.port, pieceHead(path, file.size - LAST, LAST, [`X-Length: ${file.size}`]), Buffer.alloc(LAST));
      const took = performance.now() - began;
      expect([status, fieldOf(nginx.passed.at(-1), "outcome"), fieldOf(nginx.passed.at(-1), "sha256")]).toEqual([200, "complete", file.sha256]);
      const read = bytesRead(nginx) - before;
      console.info(`${file.size / MiB} MiB: the last ${LAST / MiB} MiB took ${took.toFixed(0)} ms, of files ${read} bytes were read`);
      expect(read).toBeLessThan(MiB);
    });
  });
});
