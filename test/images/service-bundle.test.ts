import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleService } from "../../images/service-bundle.ts";
import packageJson from "../../package.json" with { type: "json" };
import { fieldsOf, formBody, makeServiceFolder, newRequestId, secret, writeIncoming } from "../helpers/service.ts";
import { spawnService } from "../helpers/service-process.ts";

const bundle = mkdtempSync(join(tmpdir(), "slipway-bundle-test-"));
const folder = makeServiceFolder();

beforeAll(() => bundleService(bundle));

afterAll(() => {
  for (const path of [bundle, folder.root]) rmSync(path, { recursive: true, force: true });
});

/** Path and digest of every file. */
function contents(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path.slice(root.length)} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`)
    .sort();
}

it("runs from its own folder alone: completes an upload and serves its page", async () => {
  const service = await spawnService(folder, ["service.mjs"], bundle);
  try {
    const headers = { "X-Slipway-Secret": secret, "X-Request-ID": newRequestId() };
    const form = formBody(fieldsOf(writeIncoming(folder, "hello"), "hello.txt"));
    const completed = await fetch(`${service.url}/internal/complete`, { method: "POST", body: form.body, headers: { ...form.headers, ...headers } });
    expect(await completed.json()).toMatchObject({ message: "Upload Complete", name: "hello.txt" });
    for (const path of ["/", "/list", "/assets/app.css", "/assets/upload.js"]) expect((await fetch(service.url + path, { headers })).status).toBe(200);
    expect(await (await fetch(`${service.url}/healthz`)).json()).toMatchObject({ status: "ok", version: packageJson.version });
  } finally {
    service.child.kill("SIGTERM");
  }
  expect(await service.ended).toBe(0);
});

it("holds what the service needs and nothing of the machine that made it", () => {
  expect(readdirSync(bundle).sort()).toEqual(["node_modules", "package.json", "service.mjs"]);
  expect(readdirSync(join(bundle, "node_modules")).sort()).toEqual(["@libsql", "@neon-rs", "detect-libc", "libsql"]);
  expect(readFileSync(join(bundle, "service.mjs"), "utf8")).not.toContain(join(import.meta.dirname, "..", ".."));
});

it("is the same when it is made again", async () => {
  const again = mkdtempSync(join(tmpdir(), "slipway-bundle-test-"));
  try {
    await bundleService(again);
    expect(contents(again)).toEqual(contents(bundle));
  } finally {
    rmSync(again, { recursive: true, force: true });
  }
});
