import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { complete, fieldsOf, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";
import packageJson from "../../package.json" with { type: "json" };

let service: TestService;

beforeEach(async () => {
  service = await startTestService();
});

afterEach(() => service.remove());

/** A result is kept for a second, so this asks until it is the expected one. */
async function healthUntil(status: number): Promise<unknown> {
  for (let i = 0; i < 300; i += 1) {
    const response = await fetch(`${service.url}/healthz`);
    if (response.status === status) return response.json();
    await delay(100);
  }
  throw new Error(`/healthz never answered ${status}`);
}

it("says that the service works, and its version, to anybody", async () => {
  const response = await fetch(`${service.url}/healthz`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "ok", version: packageJson.version, checks: { database: "ok", store: "ok" } });
  expect(readdirSync(join(service.folder.store, "incoming"))).toEqual(["1", "sessions"]);
});

it("says that the store is gone, and that it is back", async () => {
  renameSync(service.folder.store, `${service.folder.store}.away`);
  expect(await healthUntil(503)).toMatchObject({ status: "unhealthy", checks: { database: "ok", store: "unavailable" } });
  renameSync(`${service.folder.store}.away`, service.folder.store);
  expect(await healthUntil(200)).toMatchObject({ status: "ok" });
});

it("refuses uploads while the store is gone, and files them when it is back", async () => {
  const file = writeIncoming(service.folder, "x");
  const files = join(service.folder.store, "files");
  rmSync(files, { recursive: true });
  const response = await complete(service, fieldsOf(file, "x"));
  expect([response.status, await response.json()]).toEqual([503, expect.objectContaining({ error: expect.objectContaining({ code: "unavailable" }) as unknown })]);
  expect(await (await service.ask("/api/uploads")).json()).toEqual({ uploads: [], next: null });
  mkdirSync(files);
  expect((await complete(service, fieldsOf(writeIncoming(service.folder, "y"), "y"))).status).toBe(200);
});
