import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { age, complete, fieldsOf, makeServiceFolder, newRequestId, secret, sha256, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";
import { readTree } from "../helpers/tree.ts";

interface Answer {
  readonly message: string;
  readonly id: string;
  readonly name: string;
  readonly uploads: readonly { readonly id: string; readonly name: string; readonly field: string; readonly completedAt: string }[];
}

let service: TestService;

beforeEach(async () => {
  service = await startTestService();
});

afterEach(() => service.remove());

function day(): string {
  return new Date().toISOString().slice(0, 10);
}

async function answerOf(response: Response): Promise<Answer> {
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

it("files an upload and answers with what it stored", async () => {
  const file = writeIncoming(service.folder, "hello");
  const response = await complete(service, [...fieldsOf(file, "a b.txt"), ["description", "first"]]);
  const answer = await answerOf(response);
  expect(answer).toEqual({
    message: "Upload Complete",
    id: expect.stringMatching(/^[0-9A-Z]{26}$/) as string,
    name: "a b.txt",
    size: 5,
    checksums: { sha256: file.sha256 },
    description: "first",
    uploads: [
      {
        id: answer.id,
        name: "a b.txt",
        folder: null,
        size: 5,
        checksums: { sha256: file.sha256 },
        field: "file",
        description: "first",
        completedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      },
    ],
  });
  expect(readFileSync(join(service.folder.store, "files", day(), answer.id, "a b.txt"), "utf8")).toBe("hello");
  expect(existsSync(file.path)).toBe(false);
});

it("files what its sender has, and nothing else, where the sender says what that is", async () => {
  const files = [writeIncoming(service.folder, "one"), writeIncoming(service.folder, "two")] as const;
  const fields = [...fieldsOf(files[0], "1"), ...fieldsOf(files[1], "2")];
  const digestOf = (sums: readonly string[]): Record<string, string> => ({ "Slipway-Files-Digest": `sha-256=:${Buffer.from(sha256(sums.map((sum) => `${sum}\n`).join("")), "hex").toString("base64")}:` });
  const wrong = await complete(service, fields, digestOf([files[1].sha256, files[0].sha256]));
  expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: { code: "digest_mismatch" } }]);
  const malformed = await complete(service, fields, { "Slipway-Files-Digest": "sha-256=abc" });
  expect([malformed.status, await malformed.json()]).toMatchObject([400, { error: { code: "bad_header" } }]);
  expect(readTree(join(service.folder.store, "files"))).toEqual([]);
  expect((await answerOf(await complete(service, fields, digestOf(files.map((file) => file.sha256))))).uploads.map(({ name }) => name)).toEqual(["1", "2"]);
});

it("files what its Repr-Digest says, also by an algorithm that nginx did not compute, and says its digest", async () => {
  const file = writeIncoming(service.folder, "one");
  const fields = fieldsOf(file, "1");
  const field = (algorithm: "sha256" | "sha512", bytes: string): string => `${algorithm.replace("sha", "sha-")}=:${createHash(algorithm).update(bytes).digest("base64")}:`;
  for (const wrong of [field("sha256", "two"), field("sha512", "two"), `${field("sha256", "two")}, ${field("sha512", "one")}`]) {
    const refused = await complete(service, fields, { "Repr-Digest": wrong });
    expect([refused.status, await refused.json()], wrong).toMatchObject([400, { error: { code: "digest_mismatch" } }]);
  }
  const malformed = await complete(service, fields, { "Repr-Digest": "sha-256=abc" });
  expect([malformed.status, await malformed.json()]).toMatchObject([400, { error: { code: "bad_header" } }]);
  const two = await complete(service, [...fields, ...fieldsOf(writeIncoming(service.folder, "two"), "2")], { "Repr-Digest": field("sha256", "one") });
  expect([two.status, await two.json()]).toMatchObject([400, { error: { code: "bad_header", message: expect.stringContaining("this form has 2") as string } }]);
  expect(readTree(join(service.folder.store, "files"))).toEqual([]);
  const filed = await complete(service, fields, { "Repr-Digest": `${field("sha256", "one")}, ${field("sha512", "one")}` });
  expect([filed.status, filed.headers.get("Repr-Digest")]).toEqual([200, field("sha256", "one")]);
  expect((await complete(service, fields, { "Repr-Digest": field("sha512", "one") })).status).toBe(409);
});

it("gives directories and files their exact modes whatever the umask", async () => {
  const before = process.umask(0o077);
  try {
    const { id } = await answerOf(await complete(service, fieldsOf(writeIncoming(service.folder, "x"), "x")));
    const root = join(service.folder.store, "files");
    const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
    expect(mode(join(root, day()))).toBe("2770");
    expect(mode(join(root, day(), id))).toBe("2770");
    expect(mode(join(root, day(), id, "x"))).toBe("660");
  } finally {
    process.umask(before);
  }
});

it("files every file of a form", async () => {
  const first = writeIncoming(service.folder, "one");
  const second = writeIncoming(service.folder, "two");
  const third = writeIncoming(service.folder, "three");
  const answer = await answerOf(await complete(service, [...fieldsOf(first, "same.txt"), ...fieldsOf(second, "same.txt"), ...fieldsOf(third, "same.txt", "other")]));
  expect(answer.uploads.map(({ name, field }) => [name, field])).toEqual([["same.txt", "file"], ["same.txt", "file"], ["same.txt", "other"]]);
  expect(new Set(answer.uploads.map(({ id }) => id)).size).toBe(3);
  expect(readTree(join(service.folder.store, "files")).map(({ text }) => text).sort()).toEqual(["one", "three", "two"]);
});

it("gives the same answer however often a completion comes", async () => {
  const fields = [...fieldsOf(writeIncoming(service.folder, "one"), "1"), ...fieldsOf(writeIncoming(service.folder, "two"), "2")];
  const headers = { "X-Request-ID": newRequestId() };
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => complete(service, fields, headers)));
  const answers = [first, second, third, await complete(service, fields, headers)].map((response) => (response as Response).json());
  const [one, ...others] = await Promise.all(answers);
  expect(one).toMatchObject({ message: "Upload Complete" });
  for (const other of others) expect(other).toEqual(one);
  expect(readTree(join(service.folder.store, "files"))).toHaveLength(2);
});

it("lets one of two requests with the same file win", async () => {
  const fields = fieldsOf(writeIncoming(service.folder, "one"), "1");
  const responses = await Promise.all([complete(service, fields), complete(service, fields)]);
  expect(responses.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(readTree(join(service.folder.store, "files"))).toHaveLength(1);
});

it("takes a name in incoming/ again that an earlier upload had", async () => {
  const first = writeIncoming(service.folder, "first", "1/0000000001");
  const one = await answerOf(await complete(service, fieldsOf(first, "a")));
  const second = writeIncoming(service.folder, "again", "1/0000000001");
  const two = await answerOf(await complete(service, fieldsOf(second, "a")));
  expect(two.id > one.id).toBe(true);
  expect(readTree(join(service.folder.store, "files")).map(({ text }) => text)).toEqual(["first", "again"]);
});

it("refuses a repeated request with other files", async () => {
  const headers = { "X-Request-ID": newRequestId() };
  await complete(service, fieldsOf(writeIncoming(service.folder, "one"), "1"), headers);
  const other = writeIncoming(service.folder, "two");
  const response = await complete(service, fieldsOf(other, "2"), headers);
  expect(response.status).toBe(400);
  expect(existsSync(other.path)).toBe(true);
});

it("files once what comes again under a client's own key, at the same time too, and removes the rest", async () => {
  const headers = { "Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"' };
  const send = (): Promise<Response> => complete(service, fieldsOf(writeIncoming(service.folder, "same bytes"), "1"), { ...headers, "X-Request-ID": newRequestId() });
  const answers = await Promise.all((await Promise.all([send(), send(), send()])).map(answerOf));
  answers.push(await answerOf(await send()));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(readTree(join(service.folder.store, "files")).map(({ text }) => text)).toEqual(["same bytes"]);
  expect(readTree(join(service.folder.store, "incoming")).map(({ text }) => text)).toEqual([]);
  for (const [bytes, name] of [["other bytes", "1"], ["same bytes", "2"]] as const) {
    const refused = await complete(service, fieldsOf(writeIncoming(service.folder, bytes), name), { ...headers, "X-Request-ID": newRequestId() });
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: "bad_form", message: expect.stringContaining("Idempotency-Key") as string } }]);
  }
});

it("answers for some of the files of a form that was filed under the key, and files none of them again", async () => {
  const headers = { "Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"' };
  const send = (...names: readonly string[]): Promise<Response> =>
    complete(service, names.flatMap((name) => fieldsOf(writeIncoming(service.folder, "the same in all"), name)), { ...headers, "X-Request-ID": newRequestId() });
  const { uploads } = await answerOf(await send("a", "b", "c", "c"));
  const [a, b, c, d] = uploads.map(({ id }) => id);
  const idsOf = async (...names: readonly string[]): Promise<readonly string[]> => (await answerOf(await send(...names))).uploads.map(({ id }) => id);
  expect(await Promise.all([idsOf("a", "c"), idsOf("b"), idsOf("c", "c"), idsOf("c", "b")])).toEqual([[a, c], [b], [c, d], [c, b]]);
  for (const names of [["a", "d"], ["a", "a"], ["c", "c", "c"]]) {
    const refused = await send(...names);
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: "bad_form" } }]);
  }
  expect(readTree(join(service.folder.store, "files"))).toHaveLength(4);
});

it("writes nothing to the disk of what comes again and is removed", async () => {
  const headers = { "Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"' };
  const file = await open(import.meta.filename);
  const sync = vi.spyOn(Object.getPrototypeOf(file) as FileHandle, "sync");
  await file.close();
  try {
    const send = async (): Promise<number> => {
      sync.mockClear();
      await answerOf(await complete(service, fieldsOf(writeIncoming(service.folder, "same"), "1"), { ...headers, "X-Request-ID": newRequestId() }));
      return sync.mock.calls.length;
    };
    expect(await send()).toBeGreaterThan(0);
    expect(await send()).toBe(0);
  } finally {
    sync.mockRestore();
  }
  expect(readTree(join(service.folder.store, "incoming"))).toEqual([]);
});

it("refuses a key that is none, and says what one is", async () => {
  const response = await complete(service, fieldsOf(writeIncoming(service.folder, "x"), "1"), { "Idempotency-Key": "short" });
  expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "bad_header", message: expect.stringContaining("16 to 128 characters in quotation marks") as string } }]);
});

it("keeps nothing of a form whose second file is wrong", async () => {
  const first = writeIncoming(service.folder, "one");
  const second = writeIncoming(service.folder, "two");
  const response = await complete(service, [...fieldsOf(first, "1"), ...fieldsOf({ ...second, size: 4 }, "2")]);
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error: { code: "size_mismatch" } });
  expect(readTree(join(service.folder.store, "files"))).toEqual([]);
  expect(await (await service.ask("/api/uploads")).json()).toEqual({ uploads: [], next: null });
});

it("keeps an empty file that has a name", async () => {
  const answer = await answerOf(await complete(service, fieldsOf(writeIncoming(service.folder, ""), "empty.txt")));
  expect(answer.uploads).toHaveLength(1);
  expect(readTree(join(service.folder.store, "files")).map(({ text }) => text)).toEqual([""]);
});

it("refuses a form in which no file was chosen", async () => {
  const response = await complete(service, fieldsOf(writeIncoming(service.folder, ""), ""));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: "no_file" } });
});

it("files what was chosen and removes the empty file of the unused input", async () => {
  const unused = writeIncoming(service.folder, "");
  const answer = await answerOf(await complete(service, [...fieldsOf(unused, "", "a"), ...fieldsOf(writeIncoming(service.folder, "x"), "x", "b")]));
  expect(answer.uploads.map(({ field }) => field)).toEqual(["b"]);
  expect(existsSync(unused.path)).toBe(false);
});

it("refuses a file over the limit", async () => {
  const limit = { "X-Slipway-Max-File-Size": "4" };
  const response = await complete(service, fieldsOf(writeIncoming(service.folder, "12345"), "big.bin"), limit);
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ error: { code: "too_large", message: 'The file "big.bin" has 5 bytes; this site takes at most 4.' } });
  expect((await complete(service, fieldsOf(writeIncoming(service.folder, "1234"), "fits.bin"), limit)).status).toBe(200);
});

it("asks for every checksum that the site computes", async () => {
  const response = await complete(service, fieldsOf(writeIncoming(service.folder, "x"), "x"), { "X-Slipway-Checksums": "sha256,md5" });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: "bad_form", message: "file.md5: missing; the site asks for it on every file." } });
});

it("files an upload that took days", async () => {
  // Once what is as old is gone, the janitor's first round has read the directory: it sees no file that comes later.
  const folder = makeServiceFolder();
  const abandoned = writeIncoming(folder, "abandoned", "1/0000000001");
  age(abandoned.path, 7 * 86_400);
  const started = await startTestService({ folder });
  try {
    await vi.waitFor(() => expect(existsSync(abandoned.path)).toBe(false), 30_000);
    const file = writeIncoming(folder, "slow", "1/0000000002");
    age(file.path, 7 * 86_400);
    await answerOf(await complete(started, fieldsOf(file, "slow")));
  } finally {
    await started.remove();
  }
});

it("answers with the description as it is stored", async () => {
  const file = writeIncoming(service.folder, "x");
  const sent = "first line\r\nsecond\0 line\u202E ";
  const answer = await answerOf(await complete(service, [...fieldsOf(file, "x"), ["description", sent]]));
  const stored = await (await service.ask(`/api/uploads/${answer.id}`)).json();
  expect([answer, stored]).toEqual([expect.objectContaining({ description: "first line\nsecond line" }), expect.objectContaining({ description: "first line\nsecond line" })]);
});

it("tells the client no paths of the server, and the log all of them", async () => {
  const response = await complete(service, fieldsOf({ path: "/etc/passwd", size: 5, sha256: "ab".repeat(32) }, "x"));
  expect(await response.text()).not.toContain("/etc/passwd");
  expect(JSON.stringify(service.log)).toContain("/etc/passwd");
  expect(JSON.stringify(service.log)).not.toContain(secret);
});

it("leaves incoming/ and its directories in place", async () => {
  await answerOf(await complete(service, fieldsOf(writeIncoming(service.folder, "x", "1/0000000011"), "x")));
  expect(readdirSync(join(service.folder.store, "incoming"))).toEqual(["1", "sessions"]);
});

it.each([
  ["../../etc/passwd", "passwd"],
  ["a\0b.txt", "ab.txt"],
  ['q"uo\'te;s.txt', 'q"uo\'te;s.txt'],
  [`${"n".repeat(300)}.pdf`, `${"n".repeat(251)}.pdf`],
  ["\u202Etxt.exe", "txt.exe"],
  ["🚀 ملف.bin", "🚀 ملف.bin"],
])("stores the absurd name %j", async (sent, stored) => {
  const answer = await answerOf(await complete(service, fieldsOf(writeIncoming(service.folder, "x"), sent)));
  expect(answer.name).toBe(stored);
  expect(readTree(join(service.folder.store, "files")).map(({ path }) => path)).toEqual([`${day()}/${answer.id}/${stored}`]);
});
