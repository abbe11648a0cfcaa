import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { classicFields, fieldOf, fieldsOf, uploadServer, uploadSite } from "../helpers/upload-site.ts";
import { exchange, form, head, post, WireClient } from "../helpers/wire.ts";

const file = { disposition: 'name="file"; filename="a.txt"', body: "content" };
const request = post("/upload", form([file]));
const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

/** `upload_store` with its levels and, if need be, another folder than the store. */
const stored = (levels: string, directives = "", root = "%STORE%"): string => `
  location /upload { upload_pass @done; upload_store ${root}${levels}; ${classicFields} ${directives} }
  location @done { proxy_pass http://%UPSTREAM%; }`;

describe("module: the store", () => {
  it.each([
    ["", /^\d{10}$/],
    [" 1", /^(\d)\/\d{9}\1$/],
    [" 1 2", /^(\d)\/(\d\d)\/\d{7}\2\1$/],
    [" 2 3 4", /^(\d\d)\/(\d{3})\/(\d{4})\/\d\3\2\1$/],
  ])("puts a file where levels%s say", async (levels, pattern) => {
    await withNginx({ server: stored(levels), keepsFiles: true }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(200);
      const [path = ""] = site.files();
      expect(relative(site.store, path)).toMatch(pattern);
      expect(fieldOf(site.passed[0], "file.path")).toBe(path);
      expect(readFileSync(path, "utf8")).toBe("content");
    });
  });

  it("skips names that are taken", async () => {
    await withNginx({ server: stored(""), keepsFiles: true }, async (site) => {
      for (let i = 0; i < 4; i++) writeFileSync(join(site.store, `${i}`.padStart(10, "0")), "old");
      for (let i = 0; i < 3; i++) expect((await exchange(site.port, request)).status).toBe(200);
      const contents = site.files().map((path) => readFileSync(path, "utf8"));
      expect(contents.filter((text) => text === "old")).toHaveLength(4);
      expect(contents.filter((text) => text === "content")).toHaveLength(3);
    });
  });

  it.each(["000", "022", "077", "0777"])("sets exact modes under umask %s, and keeps setgid", async (umask) => {
    const access = "upload_store_access user:rw group:rw;";
    await withNginx({ server: stored(" 1 1", access), keepsFiles: true, umask }, async (site) => {
      chmodSync(site.store, 0o2770);
      chmodSync(join(site.folder, "temp"), 0o777);
      expect((await exchange(site.port, request)).status).toBe(200);
      const [path = ""] = site.files();
      expect(mode(path)).toBe("660");
      expect(mode(join(path, ".."))).toBe("2770");
      expect(mode(join(path, "../.."))).toBe("2770");
    });
  });

  it.each([
    ["", "600", "700"],
    ["upload_store_access user:r;", "400", "700"],
    ["upload_store_access user:rw group:r all:r;", "644", "755"],
    ["upload_store_access group:rw all:rw;", "666", "777"],
  ])("gives %j modes %s and %s", async (access, fileMode, folderMode) => {
    await withNginx({ server: stored(" 1", access), keepsFiles: true }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(200);
      const [path = ""] = site.files();
      expect([mode(path), mode(join(path, ".."))]).toEqual([fileMode, folderMode]);
    });
  });

  it("takes variables, but none that climbs out", async () => {
    const server = stored(" 1", "", "%STORE%/$arg_user");
    await withNginx({ server, keepsFiles: true, expectLog: /\.\.ann/ }, async (site) => {
      mkdirSync(join(site.store, "ann"));
      expect((await exchange(site.port, post("/upload?user=ann", form([file])))).status).toBe(200);
      expect(relative(site.store, site.files()[0]!)).toMatch(/^ann\/\d\/\d{10}$/);
      for (const user of ["..", "../store/ann", "ann/../..", "ann/.."]) {
        expect((await exchange(site.port, post(`/upload?user=${user}`, form([file])))).status, user).toBe(400);
      }
      expect((await exchange(site.port, post("/upload?user=..ann", form([file])))).status).toBe(503);
    });
  });

  it("answers 503 when its variables are empty, and writes nowhere else", async () => {
    await withNginx({ server: stored("", "", "$arg_store") }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(503);
      expect(site.log()).toContain("the variables of upload_store are empty");
    });
  });

  it("takes a path relative to nginx's prefix", async () => {
    const server = stored("", "", "no-such-folder-of-slipway");
    await withNginx({ server, expectLog: /\/usr\/share\/nginx\/no-such-folder-of-slipway\/\d{10}" failed/ }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(503);
    });
  });

  it("answers 503 when the store is gone, and works again when it is back", async () => {
    await withNginx({ server: stored(" 1"), keepsFiles: true, expectLog: /mkdir\(\).*No such file/ }, async (site) => {
      rmSync(site.store, { recursive: true });
      expect((await exchange(site.port, request)).status).toBe(503);
      expect(site.passed).toEqual([]);
      mkdirSync(site.store);
      expect((await exchange(site.port, request)).status).toBe(200);
    });
  });

  it("answers 503 when a hashed directory is no directory", async () => {
    await withNginx({ server: stored(" 1"), keepsFiles: true, expectLog: /Not a directory/ }, async (site) => {
      for (let i = 0; i < 10; i++) writeFileSync(join(site.store, `${i}`), "");
      expect((await exchange(site.port, request)).status).toBe(503);
    });
  });

  const isRoot = process.getuid?.() === 0;
  it.skipIf(!isRoot)(`answers 507 on a full disk and leaves nothing${isRoot ? "" : " (skipped: mounting a tmpfs takes root)"}`, async () => {
    for (const directives of ["upload_buffer_size 64k;", "upload_buffer_size 4m;"]) {
      await withNginx({ server: stored(" 1", directives), expectLog: /No space left on device/ }, async (site) => {
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", site.store]);
        try {
          const large = form([{ ...file, body: "x".repeat(200_000) }, { ...file, body: Buffer.alloc(3_000_000) }]);
          expect((await exchange(site.port, post("/upload", large))).status).toBe(507);
          expect(site.files()).toEqual([]);
          expect(site.passed).toEqual([]);
          expect((await exchange(site.port, request)).status).toBe(200);
          for (const path of site.files()) rmSync(path);
        } finally {
          execFileSync("umount", ["-l", site.store]);
        }
      });
    }
  });

  it("removes the files of an upload that is cut off, every one", async () => {
    await withNginx({ server: stored(" 1") }, async (site) => {
      const whole = form([file, { ...file, body: "y".repeat(100_000) }]);
      const client = await WireClient.open(site.port);
      client.write(head("/upload", { length: whole.length }));
      client.write(whole.subarray(0, 90_000));
      await site.until(() => site.files().length === 2, "two files");
      client.destroy();
      await site.until(() => site.files().length === 0, "the files to go");
      expect(site.passed).toEqual([]);
    });
  });

  it("removes them when nginx is stopped in the middle, before or behind the target's call", async () => {
    await withNginx({ server: stored(" 1"), answer: () => undefined }, async (site) => {
      const whole = form([file, { ...file, body: "y".repeat(100_000) }]);
      const reading = await WireClient.open(site.port);
      reading.write(head("/upload", { length: whole.length }));
      reading.write(whole.subarray(0, 90_000));
      const waiting = await WireClient.open(site.port);
      waiting.write(request);
      await site.until(() => site.files().length === 3 && site.passed.length === 1, "three files");
      process.kill(Number(readFileSync(join(site.folder, "nginx.pid"), "utf8")), "SIGTERM");
      await reading.closed();
      await waiting.closed();
      await site.until(() => site.files().length === 0, "the files to go");
    });
  });

  it("closes every file it opened", async () => {
    await withNginx({ server: stored(" 1"), keepsFiles: true }, async (site) => {
      const open = (): string[] =>
        site.workers().flatMap((pid) => execFileSync("ls", ["-l", `/proc/${pid}/fd`], { encoding: "utf8" }).split("\n")).filter((line) => line.includes(site.store));
      for (let i = 0; i < 5; i++) await exchange(site.port, post("/upload", form([file, file])));
      await exchange(site.port, post("/upload", form([file]).subarray(0, 100)));
      expect(open()).toEqual([]);
    });
  });
});

describe("module: upload_cleanup and the end of a request", () => {
  const status = (code: number) => (): { status: number } => ({ status: code });

  it.each([
    ["400 404 499 500-505", 400, 0],
    ["400 404 499 500-505", 403, 1],
    ["400 404 499 500-505", 503, 0],
    ["400-599", 422, 0],
    ["200", 200, 0],
    ["200", 201, 1],
  ])("with %s and an answer of %i leaves %i file(s)", async (list, code, left) => {
    await withNginx(uploadSite(`upload_cleanup ${list};`, { answer: status(code), keepsFiles: left > 0 }), async (site) => {
      expect((await exchange(site.port, request)).status).toBe(code);
      await site.until(() => site.files().length === left, `${left} files`);
    });
  });

  it("keeps the files without a list, whatever the target answers", async () => {
    await withNginx(uploadSite("", { answer: status(500) }), async (site) => {
      expect((await exchange(site.port, request)).status).toBe(500);
      expect(site.files()).toHaveLength(1);
    });
  });

  it("removes them without a list when the target cannot be asked", async () => {
    const server = stored("").replace("%UPSTREAM%", "127.0.0.1:1");
    await withNginx({ server }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(502);
      await site.until(() => site.files().length === 0, "the file to go");
    });
  });

  it("removes them when the target is silent for too long", async () => {
    const server = stored("").replace("proxy_pass", "proxy_read_timeout 1s; proxy_pass");
    await withNginx({ server, answer: () => undefined }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(504);
      await site.until(() => site.files().length === 0, "the file to go");
    });
  });

  it("removes them when the client is gone before the answer", async () => {
    await withNginx(uploadSite("", { answer: () => undefined, keepsFiles: false }), async (site) => {
      const client = await WireClient.open(site.port);
      client.write(request);
      await site.until(() => site.passed.length === 1, "the target to be asked");
      expect(site.files()).toHaveLength(1);
      client.destroy();
      await site.until(() => site.files().length === 0, "the file to go");
    });
  });

  it("goes by the final status: an error page's own", async () => {
    const server = `${uploadServer("upload_cleanup 400-599;").replace("proxy_pass", "proxy_intercept_errors on; error_page 404 =200 /fine; proxy_pass")}
      location /fine { return 200 "fine"; }`;
    await withNginx({ server, answer: status(404), keepsFiles: true }, async (site) => {
      expect(await exchange(site.port, request)).toMatchObject({ status: 200, body: "fine" });
      expect(site.files()).toHaveLength(1);
    });
  });

  it("is content when the target has moved the file", async () => {
    const answer = (passed: Parameters<NonNullable<Parameters<typeof withNginx>[0]["answer"]>>[0]): { status: number } => {
      const path = fieldsOf(passed).find(([name]) => name === "file.path")![1];
      execFileSync("mv", [path, join(path, "../../moved-" + basename(path))]);
      return { status: 500 };
    };
    await withNginx(uploadSite("upload_cleanup 500;", { answer, keepsFiles: false }), async (site) => {
      expect((await exchange(site.port, request)).status).toBe(500);
      expect(site.files()).toEqual([]);
    });
  });
});
