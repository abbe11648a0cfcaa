import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cannotMount, withTmpfs } from "../helpers/faults.ts";
import { HANG_UP, type Nginx, type NginxOptions, type Reply, withNginx } from "../helpers/nginx.ts";
import { piecesSite, segment, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { chunked, exchange, head, post } from "../helpers/wire.ts";

const type = "application/octet-stream";
const bytes = randomBytes(300_000);
const HALF = 150_000;

const site = (more: Partial<NginxOptions> = {}): NginxOptions => piecesSite({ expectLog: /upload: \w+\(\) "/, workers: 1, ...more });

/** Ways to send a raw body that is a whole file. @returns the status */
const puts: Readonly<Record<string, (nginx: Nginx) => Promise<number>>> = {
  "a length": async ({ port }) => (await exchange(port, post("/new", bytes, { method: "PUT", type }))).status,
  chunks: async ({ port }) => (await exchange(port, head("/new", { method: "PUT", type, extra: ["Transfer-Encoding: chunked"] }), chunked(bytes, 7000))).status,
};

const sendSegment = async ({ port }: Nginx, from: number): Promise<number> => (await exchange(port, segment(bytes, "s", from, from + HALF))).status;

/** The last request passed on has every byte. */
function expectWhole(nginx: Nginx): void {
  const passed = nginx.passed.at(-1);
  expect(fieldOf(passed, "sha256")).toBe(sha256(bytes));
  expect(readFileSync(fieldOf(passed, "path")!).equals(bytes)).toBe(true);
}

/** Something that befalls a store, and its end. */
interface Trouble {
  readonly status: number;
  begin(nginx: Nginx): void;
  end(nginx: Nginx): void;
}

const filler = (nginx: Nginx): string => join(nginx.store, "filler");

const troubles: Readonly<Record<string, Trouble>> = {
  "is full": {
    status: 507,
    begin: (nginx) => expect(() => writeFileSync(filler(nginx), Buffer.alloc(2_000_000))).toThrow(/ENOSPC/),
    end: (nginx) => rmSync(filler(nginx)),
  },
  "is read-only": {
    status: 503,
    begin: ({ store }) => void execFileSync("mount", ["-o", "remount,ro", store]),
    end: ({ store }) => void execFileSync("mount", ["-o", "remount,rw", store]),
  },
  "is gone": {
    status: 503,
    begin: ({ store }) => renameSync(join(store, "files"), join(store, "away")),
    end: ({ store }) => renameSync(join(store, "away"), join(store, "files")),
  },
};

const skipped = cannotMount === undefined ? "" : ` (skipped: ${cannotMount})`;

describe.skipIf(cannotMount !== undefined).each(Object.entries(troubles))(`module: a store that %s${skipped}`, (_, { status, begin, end }) => {
  const withStore = async (test: (nginx: Nginx) => Promise<void>): Promise<void> => {
    const options = site();
    await withNginx({ ...options, server: options.server.replace("%STORE%", "%STORE%/files") }, async (nginx) => {
      await withTmpfs(nginx.store, "1m", async () => {
        mkdirSync(join(nginx.store, "files"));
        await test(nginx);
      });
    });
  };

  it.each(Object.entries(puts))("takes no raw file (%s), keeps nothing of it, and takes it afterwards", async (_way, put) => {
    await withStore(async (nginx) => {
      begin(nginx);
      const before = nginx.files();
      expect(await put(nginx)).toBe(status);
      expect([nginx.files(), nginx.passed]).toEqual([before, []]);
      end(nginx);
      expect(await put(nginx)).toBe(200);
      expectWhole(nginx);
      expect(nginx.files()).toHaveLength(1);
    });
  });

  it("keeps what has counted of a ranged upload, which goes on afterwards", async () => {
    await withStore(async (nginx) => {
      expect(await sendSegment(nginx, 0)).toBe(201);
      begin(nginx);
      expect(await sendSegment(nginx, HALF)).toBe(status);
      expect(nginx.passed).toEqual([]);
      end(nginx);
      expect(await sendSegment(nginx, HALF)).toBe(200);
      expectWhole(nginx);
    });
  });
});

describe.each([
  ["hangs up", HANG_UP, 502],
  ["says nothing for too long", undefined, 504],
] as const)("module: a target that %s", (_, reply, status) => {
  /** A target that fails once and then answers. */
  const failing = (): NginxOptions => {
    const replies: Reply[] = [reply];
    const options = site({ answer: () => (replies.length > 0 ? replies.pop() : {}) });
    return { ...options, server: options.server.replace("proxy_ignore_client_abort on;", `proxy_read_timeout ${status === 504 ? "3s" : "30s"};`) };
  };

  it.each(Object.entries(puts))("leaves no raw file (%s)", async (_way, put) => {
    await withNginx(failing(), async (nginx) => {
      expect(await put(nginx)).toBe(status);
      await nginx.until(() => nginx.files().length === 0, "the file to go");
      expect(await put(nginx)).toBe(200);
      expectWhole(nginx);
      expect(nginx.files()).toHaveLength(1);
    });
  });

  it("leaves a ranged upload whole, and is asked again when its last segment comes again", async () => {
    await withNginx(failing(), async (nginx) => {
      expect(await sendSegment(nginx, 0)).toBe(201);
      expect(await sendSegment(nginx, HALF)).toBe(status);
      expect(nginx.passed).toHaveLength(1);
      expect(await sendSegment(nginx, HALF)).toBe(200);
      expect(nginx.passed).toHaveLength(2);
      expectWhole(nginx);
    });
  });
});
