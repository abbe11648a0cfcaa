import http from "node:http";
import { describe, expect, it } from "vitest";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";

/** Bytes of each upload; those that are under way lack the last one. */
const SIZE = 100;

const options: NginxOptions = {
  http: "upload_progress_zone uploads 2m;",
  server: `
    upload_progress_track uploads;
    location @done { return 200; }
    location /raw/ { upload_pass @done; upload_store %STORE%; upload_raw on; }
    location = /progress { upload_progress_report uploads; }
    location = /list { default_type application/json; return 200 $upload_progress_list; }`,
  keepsFiles: true,
  connections: 2048,
};

async function get(site: Nginx, path: string): Promise<unknown> {
  return (await fetch(`http://127.0.0.1:${site.port}${path}`, { headers: { Connection: "close" } })).json();
}

const list = async (site: Nginx): Promise<{ readonly id: string }[]> => (await get(site, "/list")) as { id: string }[];
const stateOf = async (site: Nginx, id: string): Promise<unknown> => ((await get(site, `/progress?X-Progress-ID=${id}`)) as { state: unknown }).state;

async function settles(check: () => Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited for ${what}`);
}

function put(site: Nginx, id: string): { readonly request: http.ClientRequest; readonly answer: Promise<number> } {
  const request = http.request({ port: site.port, host: "127.0.0.1", path: `/raw/${id}?X-Progress-ID=${id}`, method: "PUT", agent: false, headers: { "Content-Length": SIZE } });
  const answer = new Promise<number>((resolve) => {
    request.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode ?? 0)));
    request.on("error", () => resolve(0));
  });
  request.write(Buffer.alloc(SIZE - 1));
  return { request, answer };
}

describe("module: the limits of what is told of uploads", () => {
  it("lists the 500 newest of more uploads, and an older one when there is room again", async () => {
    await withNginx(options, async (site) => {
      const oldest = put(site, "oldest");
      await settles(async () => (await list(site)).length === 1, "the first");
      const others = Array.from({ length: 500 }, (_, n) => put(site, `u${n}`));
      const shown = async (): Promise<readonly string[]> => (await list(site)).map(({ id }) => id).sort();
      await settles(async () => (await Promise.all(["u0", "u250", "u499"].map((id) => stateOf(site, id)))).every((state) => state === "uploading"), "the others");
      await settles(async () => !(await shown()).includes("oldest"), "the limit");
      expect(await shown()).toEqual(others.map((_, n) => `u${n}`).sort());
      expect(await stateOf(site, "oldest")).toBe("uploading");
      others[0]?.request.end(Buffer.alloc(1));
      await settles(async () => (await shown()).includes("oldest"), "the room");
      expect(await shown()).toHaveLength(500);
      for (const { request } of [oldest, ...others.slice(1)]) request.end(Buffer.alloc(1));
      expect(new Set(await Promise.all([oldest, ...others].map(({ answer }) => answer)))).toEqual(new Set([200]));
    });
  });
});
