import { createHash } from "node:crypto";
import { truncateSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { complete, fieldsOf, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";

let service: TestService;

beforeEach(async () => {
  service = await startTestService();
});
afterEach(() => service.remove());

it("does not read a large file of a form again for a digest, which nginx would not wait for", async () => {
  const file = writeIncoming(service.folder, "x");
  const size = 8 * 1024 ** 3 + 1;
  truncateSync(file.path, size);
  const sha512 = `sha-512=:${createHash("sha512").update("x").digest("base64")}:`;
  const refused = await complete(service, fieldsOf({ ...file, size }, "1"), { "Repr-Digest": sha512 });
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: "bad_header", message: expect.stringMatching(/^Repr-Digest: .*: sha-256\.$/) as string } }]);
  expect((await complete(service, fieldsOf({ ...file, size }, "1"), { "Repr-Digest": `${sha512}, sha-256=:${Buffer.from(file.sha256, "hex").toString("base64")}:` })).status).toBe(200);
});
