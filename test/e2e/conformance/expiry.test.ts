/** When an upload that is not finished ends: what its client is told, and what puts it off. */
import { randomBytes } from "node:crypto";
import Database from "libsql";
import { describe, expect, it } from "vitest";
import { resumingDialects, type Wording } from "../../helpers/dialects.ts";
import { type Answer, json, send } from "../../helpers/e2e-client.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe.skipIf(withoutLocal())("uploads that wait for an hour", () => {
  let site: LocalTestSite;
  const bytes = randomBytes(3000);
  useTestSite({ upload: { expireAfter: "1h" } }, (started) => (site = started));

  const ask = ({ method, path, headers }: Wording, body?: Buffer): Promise<Answer> => send(site, path, { method, headers, ...(body === undefined ? {} : { body }) });

  const listed = async (): Promise<number> => Date.parse(json<{ uploads: { expiresAt: string }[] }>(await send(site, "/api/uploads?state=receiving")).uploads[0]?.expiresAt ?? "");

  /** Leaves the upload ten minutes. @returns its end */
  function shorten(): number {
    const end = Date.now() + 10 * MINUTE;
    const database = new Database(site.site.layout.database);
    database.prepare("UPDATE sessions SET expires_at = ?").run(new Date(end).toISOString());
    database.close();
    return end;
  }

  /** Asks, and holds the time that the answer names against an hour from the question on. */
  async function expectAnHour(question: () => Promise<Answer>, ofTheAnswer: (answer: Answer) => number | Promise<number>): Promise<Answer> {
    const before = Date.now();
    const answer = await question();
    expect(answer.status, answer.text).toBeLessThan(300);
    const end = await ofTheAnswer(answer);
    // A date of HTTP has no parts of a second.
    expect(end).toBeGreaterThanOrEqual(before + HOUR - SECOND);
    expect(end).toBeLessThanOrEqual(Date.now() + HOUR);
    return answer;
  }

  const named = ({ headers }: Answer): number => Date.parse(headers["upload-expires"] ?? "");

  it("are told by tus in every answer when that is, until they are complete", async () => {
    const tus = resumingDialects[0]!;
    const created = await expectAnHour(() => ask(tus.create(bytes.length)), named);
    const address = created.headers["location"] ?? "";
    const head = await ask(tus.head(address));
    expect(head.headers["upload-expires"]).toBe(created.headers["upload-expires"]);

    const end = shorten();
    // A question moves nothing; bytes do.
    expect(Math.abs(named(await ask(tus.head(address))) - end)).toBeLessThanOrEqual(SECOND);
    const patched = await expectAnHour(() => ask(tus.append(address, 0, 1000, bytes.length), bytes.subarray(0, 1000)), named);
    expect((await ask(tus.head(address))).headers["upload-expires"]).toBe(patched.headers["upload-expires"]);

    const last = await ask(tus.append(address, 1000, 2000, bytes.length), bytes.subarray(1000));
    expect([last.status, last.headers["upload-offset"], last.headers["upload-expires"]]).toEqual([204, "3000", undefined]);
    expect((await ask(tus.head(address))).headers["upload-expires"]).toBeUndefined();
  });

  it.each(resumingDialects.slice(1).map((client) => [client.name, client] as const))("are told by %s how long they wait, and each body puts their end off", async (_name, client) => {
    const limit = "max-age=3600";
    const created = await expectAnHour(() => ask(client.create(bytes.length)), listed);
    const address = created.headers["location"] ?? "";
    const end = shorten();
    const head = await ask(client.head(address));
    expect([created.headers["upload-limit"], head.headers["upload-limit"], await listed()]).toEqual([limit, limit, end]);
    const patched = await expectAnHour(() => ask(client.append(address, 0, 1000, bytes.length), bytes.subarray(0, 1000)), listed);
    expect(patched.headers["upload-limit"]).toBe(limit);
  });
});
