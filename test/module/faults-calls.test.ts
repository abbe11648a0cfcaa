import { readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CallKind, type Fault, FaultyCalls } from "../helpers/faults.ts";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { classicFields, fieldOf } from "../helpers/upload-site.ts";
import { exchange, form, head, post, WireClient } from "../helpers/wire.ts";

let calls: FaultyCalls;
beforeAll(() => {
  calls = FaultyCalls.build();
});
afterAll(() => calls.remove());

const contents = [Buffer.alloc(10_000, "first "), Buffer.alloc(0), Buffer.alloc(7001, "third ")];
const body = form([
  ...contents.map((content, i) => ({ disposition: `name="f${i}"; filename="${i}.bin"`, body: content })),
  { disposition: 'name="note"', body: "behind the files" },
]);

const site = {
  server: `
    location /upload {
      upload_pass @done;
      upload_store %STORE% 1 1;
      upload_buffer_size 4k;
      client_body_buffer_size 7k;
      ${classicFields}
      upload_aggregate_form_field $upload_field_name.md5 "$upload_file_md5";
      upload_pass_form_field "^note$";
      upload_cleanup 400-599;
    }
    location @done { proxy_pass http://%UPSTREAM%; }`,
  expectLog: /upload: \w+\(\) ".*" failed|\[alert\].*close\(\)/,
  keepsFiles: true,
};

/** Removes what the store has, hashed directories too, so that the next upload makes them again. */
const empty = ({ store }: Nginx): void => {
  for (let i = 0; i < 10; i++) rmSync(`${store}/${i}`, { recursive: true, force: true });
};

async function upload(nginx: Nginx): Promise<number> {
  return (await exchange(nginx.port, post("/upload", body))).status;
}

/** The last upload passed on has every byte of every file. */
function expectWhole(nginx: Nginx, what: string): void {
  const passed = nginx.passed.at(-1);
  contents.forEach((content, i) => {
    expect(fieldOf(passed, `f${i}.size`), what).toBe(`${content.length}`);
    expect(readFileSync(fieldOf(passed, `f${i}.path`)!).equals(content), what).toBe(true);
  });
  expect(fieldOf(passed, "note"), what).toBe("behind the files");
}

/** Lets the first call fail, then the second and so on, until an upload passes without meeting one. */
async function torture(nginx: Nginx, fault: Omit<Fault, "nth">): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  for (let nth = 1; ; nth++) {
    empty(nginx);
    const passedBefore = nginx.passed.length;
    calls.arm({ ...fault, nth });
    const status = await upload(nginx);
    const { hit } = calls;
    calls.arm({ nth: 0, error: "EIO" });
    const what = `${fault.error} at call ${nth}`;
    if (hit === 0) {
      expect(status, what).toBe(200);
      return statuses;
    }
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status === 200) {
      expectWhole(nginx, what);
    } else {
      expect(nginx.files(), what).toEqual([]);
      expect(nginx.passed.length, what).toBe(passedBefore);
    }
    expect(await upload(nginx), `the upload behind ${what}`).toBe(200);
    expectWhole(nginx, `the upload behind ${what}`);
  }
}

/** Calls that fail, what they fail with, and the statuses that may come of it. */
const rows: readonly (readonly [kinds: readonly CallKind[], error: Fault["error"], statuses: readonly number[]])[] = [
  [["open"], "EACCES", [503]],
  [["open"], "EROFS", [503]],
  [["open"], "EIO", [503]],
  [["open"], "ENOSPC", [507]],
  [["open"], "EDQUOT", [507]],
  [["open"], "EINTR", [200]],
  [["mkdir"], "EACCES", [503]],
  [["mkdir"], "ENOSPC", [507]],
  [["mkdir"], "EDQUOT", [507]],
  [["write"], "EIO", [507]],
  [["write"], "ENOSPC", [507]],
  [["write"], "EDQUOT", [507]],
  [["write"], "EINTR", [200]],
  [["write"], "SHORT", [200]],
  [["close"], "EIO", [507]],
  [["close"], "ENOSPC", [507]],
  [["close"], "EDQUOT", [507]],
  // Not every file system lets modes be changed; the mode that a file has is narrower than what was asked.
  [["chmod"], "EACCES", [200]],
  [["sync"], "EIO", [507]],
  [["sync"], "ENOSPC", [507]],
  [["truncate"], "ENOSPC", [507]],
  [["flock"], "EIO", [200, 503]],
];

/** Kinds that a build of the module may never call. */
const optional: readonly CallKind[] = ["truncate", "flock"];

describe("module: a call on the store that fails, the first, the second and so on", () => {
  it.each(rows)("%j with %s is answered %j", async (kinds, error, allowed) => {
    await withNginx({ ...site, ...calls.options }, async (nginx) => {
      const statuses = await torture(nginx, { kinds, error });
      if (!kinds.every((kind) => optional.includes(kind))) expect(statuses.size).toBeGreaterThan(0);
      expect([...statuses.keys()].filter((status) => !allowed.includes(status))).toEqual([]);
    });
  });

  it.each(["EIO", "ENOSPC", "EDQUOT"] as const)("all calls fail with %s from the first, the second and so on", async (error) => {
    await withNginx({ ...site, ...calls.options }, async (nginx) => {
      const statuses = await torture(nginx, { error, times: 1_000_000 });
      expect([...statuses.keys()].filter((status) => ![200, 503, 507].includes(status))).toEqual([]);
      // How many writes there are depends on how the body arrives.
      expect(statuses.get(507)).toBeGreaterThan(0);
    });
  });

  it("every write comes short or is interrupted, and nothing is missing", async () => {
    await withNginx({ ...site, ...calls.options }, async (nginx) => {
      calls.arm({ kinds: ["write"], nth: 1, times: 1_000_000, error: "SHORT" });
      expect(await upload(nginx)).toBe(200);
      expectWhole(nginx, "every write short");
      expect(calls.hit).toBeGreaterThan(20);
      for (let nth = 1; nth < 8; nth++) {
        calls.arm({ kinds: ["write", "open"], nth, times: 3, error: "EINTR" });
        expect(await upload(nginx)).toBe(200);
        expectWhole(nginx, `interrupted at ${nth}`);
      }
    });
  });

  it("leaves the client a connection that works, when the body was read", async () => {
    await withNginx({ ...site, ...calls.options }, async (nginx) => {
      calls.arm({ kinds: ["close"], nth: 3, error: "EIO" });
      const client = await WireClient.open(nginx.port);
      client.write(Buffer.concat([head("/upload", { length: body.length }), body]));
      expect((await client.answer()).status).toBe(507);
      client.destroy();
      expect(await upload(nginx)).toBe(200);
    });
  });
});
