import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cannotMount } from "../helpers/faults.ts";
import { filesBelow, type Nginx, withNginx } from "../helpers/nginx.ts";
import { digestField, pieceHead, piecesSite, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange } from "../helpers/wire.ts";

const MiB = 1024 * 1024;
const DISK = 24 * MiB;

/** Space that directories take, in bytes; more than enough. */
const metadata = 64 * 1024;

/** Ways to mount a small file system on a folder; `spare` is a path for an image. */
const mounts: Readonly<Record<string, (folder: string, spare: string) => void>> = {
  tmpfs: (folder) => execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", folder]),
  ext4: (folder, spare) => mountImage(folder, spare, ["-m", "0"]),
  // Without extents it has no fallocate.
  ext3: (folder, spare) => mountImage(folder, spare, ["-m", "0", "-O", "^extent,^64bit"]),
};

function mountImage(folder: string, image: string, features: readonly string[]): void {
  writeFileSync(image, "");
  truncateSync(image, DISK);
  execFileSync("mkfs.ext4", ["-q", ...features, image]);
  execFileSync("mount", ["-o", "loop", image, folder]);
}

interface Disk {
  readonly nginx: Nginx;
  readonly folder: string;
  readonly path: string;
  /** Bytes that are free. */
  free(): number;
  /** Takes all of the space but so many bytes. */
  fill(rest: number): void;
  files(): string[];
}

async function withDisk(kind: string, directives: string, test: (disk: Disk) => Promise<void>): Promise<void> {
  const options = piecesSite({ expectLog: /upload: \w+\(\) "/ }, directives);
  await withNginx({ ...options, server: options.server.replace("upload_store %STORE%", "upload_store %STORE%/files") }, async (nginx) => {
    const folder = `${nginx.store}/files`;
    mkdirSync(folder);
    mounts[kind]!(folder, `${nginx.folder}/image`);
    try {
      const free = (): number => {
        const { bavail, bsize } = statfsSync(folder);
        return bavail * bsize;
      };
      const fill = (rest: number): void => {
        execFileSync("fallocate", ["-l", `${free() - rest}`, `${folder}/filler`]);
      };
      rmSync(`${folder}/lost+found`, { recursive: true, force: true });
      await test({ nginx, folder, path: `${folder}/file`, free, fill, files: () => filesBelow(folder) });
    } finally {
      execFileSync("umount", ["-l", folder]);
    }
  });
}

const allocated = (path: string): number => statSync(path).blocks * 512;
const bytes = randomBytes(8 * MiB);
const skipped = cannotMount === undefined ? "" : ` (skipped: ${cannotMount})`;

describe.skipIf(cannotMount !== undefined)(`module: upload_reserve${skipped}`, () => {
  it.each(["tmpfs", "ext4"])("on %s has room for the whole file, whatever others write", async (kind) => {
    await withDisk(kind, "upload_reserve on;", async ({ nginx, path, fill, free }) => {
      expect((await sendPiece(nginx.port, path, bytes, 0, 1)).status).toBe(200);
      expect(statSync(path).size).toBe(1);
      expect(allocated(path)).toBeGreaterThanOrEqual(bytes.length);
      fill(64 * 1024);
      expect(free()).toBeLessThan(MiB);
      expect((await sendPiece(nginx.port, path, bytes, 1, 4 * MiB)).status).toBe(200);
      expect((await sendPiece(nginx.port, path, bytes, 4 * MiB)).status).toBe(200);
      expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(bytes));
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });
  });

  it.each(["tmpfs", "ext4"])("on %s refuses a file that has no room, and leaves nothing", async (kind) => {
    await withDisk(kind, "upload_reserve on;", async ({ nginx, path, fill, free, files }) => {
      fill(6 * MiB);
      const before = { free: free(), files: files() };
      expect((await sendPiece(nginx.port, path, bytes, 0, 1)).status).toBe(507);
      expect(files()).toEqual(before.files);
      expect(before.free - free()).toBeLessThan(metadata);
      expect((await sendPiece(nginx.port, path, Buffer.alloc(1), 0)).status).toBe(200);
    });
  });

  it.each(["tmpfs", "ext4"])("on %s keeps to upload_min_free_space, once", async (kind) => {
    await withDisk(kind, "upload_reserve on; upload_min_free_space 6m;", async ({ nginx, path, fill, files }) => {
      fill(13 * MiB);
      expect((await sendPiece(nginx.port, path, bytes, 0, 1)).status).toBe(507);
      expect(files()).toHaveLength(1);
      rmSync(files()[0]!);
      expect((await sendPiece(nginx.port, path, bytes, 0, 1)).status).toBe(200);
      fill(MiB);
      expect((await sendPiece(nginx.port, path, bytes, 1)).status).toBe(200);
      expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(bytes));
      expect((await sendPiece(nginx.port, `${path}-2`, Buffer.alloc(2), 0)).status).toBe(507);
    });
  });

  it.each(["tmpfs", "ext4"])("on %s keeps the space when a piece is refused, but not when it was the first", async (kind) => {
    await withDisk(kind, "upload_reserve on;", async ({ nginx, path, free, files }) => {
      const before = free();
      const wrong = [`Content-Digest: ${digestField(Buffer.alloc(1))}`];
      expect((await sendPiece(nginx.port, path, bytes, 0, MiB, wrong)).status).toBe(400);
      expect(files()).toEqual([]);
      await nginx.until(() => before - free() < metadata, "the space to come back");
      expect((await sendPiece(nginx.port, path, bytes, 0, MiB)).status).toBe(200);
      expect((await sendPiece(nginx.port, path, bytes, MiB, 2 * MiB, wrong)).status).toBe(400);
      expect(statSync(path).size).toBe(MiB);
      expect(allocated(path)).toBeGreaterThanOrEqual(bytes.length);
    });
  });

  it("refuses a length over upload_max_file_size before it takes any space", async () => {
    await withDisk("tmpfs", "upload_reserve on; upload_max_file_size 4m;", async ({ nginx, path, free, files }) => {
      const before = free();
      expect((await sendPiece(nginx.port, path, bytes, 0, 1)).status).toBe(413);
      expect({ free: free(), files: files() }).toEqual({ free: before, files: [] });
      expect((await sendPiece(nginx.port, path, bytes.subarray(0, 4 * MiB), 0, 1)).status).toBe(200);
    });
  });

  it("takes a file that was there as it is, also an empty one that it refuses", async () => {
    await withDisk("tmpfs", "upload_reserve on;", async ({ nginx, path, files }) => {
      writeFileSync(path, "");
      expect((await exchange(nginx.port, Buffer.concat([pieceHead(path, 5, 1), bytes.subarray(5, 6)]))).status).toBe(409);
      expect(files()).toEqual([path]);
      expect((await sendPiece(nginx.port, path, bytes, 0, 1)).status).toBe(200);
      expect(allocated(path)).toBeLessThan(MiB);
    });
  });

  it("is off unless it is said, and goes without where the file system refuses", async () => {
    for (const [kind, directives] of [["tmpfs", ""], ["ext3", "upload_reserve on;"]] as const) {
      await withDisk(kind, directives, async ({ nginx, path }) => {
        expect((await sendPiece(nginx.port, path, bytes, 0, 1)).status).toBe(200);
        expect(allocated(path)).toBeLessThan(MiB);
        expect((await sendPiece(nginx.port, path, bytes, 1)).status).toBe(200);
        expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(bytes));
      });
    }
  });
});
