import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { piecesSite, segment, segmentHead } from "../helpers/pieces.ts";
import { exchange, post, WireClient } from "../helpers/wire.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-later-"));
const library = join(folder, "later.so");
const later = join(folder, "later");
beforeAll(() => {
  const source = fileURLToPath(new URL("../fixtures/later.c", import.meta.url));
  execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source, "-ldl"]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Buffer.alloc(300_000, "x");

function site(): NginxOptions {
  const options = piecesSite({}, `
    upload_progress_track uploads;
    location /closed { return 403; }
    location = /progress { upload_progress_report uploads; }
    location = /list { default_type application/json; return 200 $upload_progress_list; }`);
  return { ...options, http: `${options.http ?? ""} upload_progress_zone uploads 1m;`, preload: [library], environment: { LATER_FILE: later } };
}

async function ask(nginx: Nginx, path: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${nginx.port}${path}`, { headers: { Connection: "close" } });
  return answer.json();
}

describe("module: progress as time goes by", () => {
  it("lists a ranged upload while a segment comes, and tells for 60 s how each has ended, or why it did not begin", async () => {
    writeFileSync(later, "");
    await withNginx(site(), async (nginx) => {
      const first = await WireClient.open(nginx.port);
      const [start, rest] = [bytes.subarray(0, 50_000), bytes.subarray(50_000, 100_000)];
      const asked = segmentHead("far", 0, 100_000, bytes.length).toString("latin1").replace("\r\n\r\n", "\r\nX-Progress-ID: far\r\n\r\n");
      first.write(Buffer.concat([Buffer.from(asked, "latin1"), start]));
      await nginx.until(() => nginx.files().length > 0, "the first bytes");
      expect(await ask(nginx, "/list")).toMatchObject([{ id: "far", protocol: "ranged", received: 50_000 }]);
      first.write(rest);
      expect((await first.answer()).status).toBe(201);
      expect(await ask(nginx, "/list")).toEqual([]);
      expect((await exchange(nginx.port, post("/closed?X-Progress-ID=closed", bytes.subarray(0, 10)))).status).toBe(403);
      writeFileSync(later, Buffer.alloc(55));
      expect(await ask(nginx, "/progress?X-Progress-ID=closed")).toEqual({ state: "error", status: 403 });
      expect(await ask(nginx, "/progress?X-Progress-ID=far")).toMatchObject({ state: "done" });
      writeFileSync(later, Buffer.alloc(65));
      expect(await ask(nginx, "/progress?X-Progress-ID=closed")).toEqual({ state: "starting" });
      expect(await ask(nginx, "/progress?X-Progress-ID=far")).toMatchObject({ state: "starting" });
      // The upload itself is not forgotten.
      expect((await exchange(nginx.port, segment(bytes, "far", 100_000, bytes.length))).status).toBe(200);
    });
  });
});
