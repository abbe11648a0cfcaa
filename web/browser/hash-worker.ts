/** SHA-256 of files beside the page, in a worker: in script alone, so that the policy need not allow WebAssembly. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { HashAnswer, HashRequest } from "./hash.ts";

/** Bytes read at once: several files take turns after each. */
const PIECE_BYTES = 4 * 1024 * 1024;

const given = new Set<number>();

async function hash(id: number, file: File): Promise<string | null> {
  const digest = sha256.create();
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    if (!given.has(id)) return null;
    digest.update(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
  }
  return bytesToHex(digest.digest());
}

function answer(message: HashAnswer): void {
  self.postMessage(message);
}

self.addEventListener("message", ({ data }: MessageEvent<HashRequest>) => {
  const { id, file } = data;
  if (file === null) {
    given.delete(id);
    return;
  }
  given.add(id);
  hash(id, file)
    // A file that can no longer be read has no digest; sending it fails as well and says so.
    .catch(() => null)
    .then((digest) => answer({ id, digest }))
    .finally(() => given.delete(id));
});
