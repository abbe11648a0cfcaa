import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { classicCases } from "../fixtures/wild/classic.ts";
import { digest, type Field, type WildCase, type WildRequest } from "../fixtures/wild/kit.ts";
import { rangedCases } from "../fixtures/wild/ranged.ts";
import { restCases } from "../fixtures/wild/rest.ts";
import { siteCases } from "../fixtures/wild/sites.ts";
import { withoutDocker } from "../helpers/e2e-docker.ts";
import { type Answer, type Nginx, type NginxOptions, type NginxProgram, type Passed, takes, withNginx } from "../helpers/nginx.ts";
import { gone, newest, programOf, trixie } from "../helpers/trixie.ts";
import { fieldsOf } from "../helpers/upload-site.ts";
import { exchange, form, head } from "../helpers/wire.ts";

const fixtures = join(import.meta.dirname, "../fixtures/wild");
const fixture = (name: string): string => readFileSync(join(fixtures, name), "utf8");

/** What the application saw of an upload while its files were there. */
interface Seen {
  readonly fields: readonly Field[];
  readonly stored: readonly string[];
}

/** Long contents as a digest, so that a failure can be read. */
const short = (stored: readonly string[] | undefined): string[] | undefined =>
  stored?.map((text) => (text.length < 100 ? text : `${text.slice(0, 3)} ${text.length} characters, MD5 ${digest("md5", text)}`));

/** A path in the store without what differs from run to run, as the tables write it. */
function shape(store: string, path: string): string {
  const parts = relative(store, path).split("/");
  const name = parts.pop()!;
  const words = parts.filter((part) => !/^\d+$/.test(part));
  const digits = parts.slice(words.length);
  if (!/^\d{10}$/.test(name) || !name.endsWith([...digits].reverse().join(""))) return path.replace(store, "%STORE%");
  return `<store${words.map((word) => `/${word}`).join("")}${digits.map((part) => ` ${part.length}`).join("")}>`;
}

function look(store: string, passed: Passed): Seen {
  const fields = fieldsOf(passed);
  const paths = fields.map(([, value]) => value).filter((value) => value.startsWith(`${store}/`));
  return {
    fields: fields.map(([name, value]) => [name, paths.includes(value) ? shape(store, value) : value]),
    stored: paths.map((path) => `${(statSync(path).mode & 0o777).toString(8)} ${readFileSync(path, "latin1")}`),
  };
}

/** The application of a case: it notes what it is asked, and answers as the request at hand says. */
class Application {
  store = "";
  target: Answer = {};
  calls: string[] = [];
  headers: Passed["headers"] = {};
  seen: Seen | undefined;
  readonly #aside: WildCase["aside"];

  constructor(aside: WildCase["aside"]) {
    this.#aside = aside;
  }

  /** Forgets what was, and answers the next request so. */
  expect(target: Answer = {}): void {
    this.target = target;
    this.calls = [];
    this.seen = undefined;
  }

  readonly answer = (passed: Passed): Answer => {
    this.calls.push(`${passed.method} ${passed.url}`);
    if (passed.url.includes("/aside/")) return this.#aside?.(passed.headers) ?? {};
    this.headers = passed.headers;
    const multipart = /^multipart\/form-data/.test(passed.headers["content-type"] ?? "");
    if (multipart) this.seen = look(this.store, passed);
    return this.target;
  };
}

function bytesOf({ path, method = "POST", send, headers = [] }: WildRequest): Buffer {
  if (send === undefined) return head(path, { method, type: null, extra: headers });
  const body = "type" in send ? Buffer.from(send.body, "latin1") : form(send);
  const type = "type" in send ? { type: send.type } : {};
  return Buffer.concat([head(path, { method, length: body.length, extra: headers, ...type }), body]);
}

async function drive(site: Nginx, application: Application, request: WildRequest): Promise<void> {
  application.expect(request.target);
  const answer = await exchange(site.port, bytesOf(request));
  const { seen, calls, headers } = application;
  expect(answer.status, request.what).toBe(request.status);
  const left = request.left ?? 0;
  await site.until(() => site.files().length === left, `${left} files after: ${request.what}`);
  expect.soft(seen?.fields, request.what).toEqual(request.fields);
  expect.soft(short(seen?.stored), request.what).toEqual(short(request.stored));
  if (request.calls !== undefined) expect.soft(calls, request.what).toEqual(request.calls);
  if (request.body !== undefined) expect.soft(answer.body, request.what).toEqual(request.body);
  for (const [name, value] of Object.entries(request.seen ?? {})) expect.soft(headers[name], `${request.what}: ${name}`).toEqual(value);
  for (const [name, value] of Object.entries(request.gets ?? {})) expect.soft(answer.headers[name], `${request.what}: ${name}`).toEqual(value);
  if (request.keep !== true) for (const path of site.files()) rmSync(path);
}

function optionsOf({ name, expectLog }: WildCase, application: Application): NginxOptions {
  const http = existsSync(join(fixtures, `${name}.http.conf`)) ? fixture(`${name}.http.conf`) : "";
  return { server: fixture(`${name}.conf`), http, answer: application.answer, ...(expectLog === undefined ? {} : { expectLog }) };
}

/** Runs all requests of a case against its configuration, with the text changed by `edit`. */
async function run(wild: WildCase, edit: (text: string) => string = (text) => text, program?: NginxProgram): Promise<void> {
  const application = new Application(wild.aside);
  const options = optionsOf(wild, application);
  await withNginx({ ...options, server: edit(options.server), ...(program === undefined ? {} : { program }) }, async (site) => {
    application.store = site.store;
    for (const [path, content] of Object.entries(wild.files ?? {})) {
      const full = join(site.folder, path);
      mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
      if (!path.endsWith("/")) writeFileSync(full, content);
    }
    for (const request of wild.requests) await drive(site, application, request);
    if (wild.log !== undefined) {
      const lines = (): string[] => readFileSync(join(site.folder, "uploads.log"), "utf8").trimEnd().split("\n");
      await site.until(() => lines().length === wild.log!.length, "the log");
      expect(lines()).toEqual(wild.log);
    }
  });
}

const named = (cases: readonly WildCase[]): [string, WildCase][] => cases.map((wild) => [wild.name, wild]);
const all = [...classicCases, ...siteCases, ...restCases];
const limitless = all.filter(({ name }) => name === "05-cloud-controller");

/** In place of 0, which is to be no limit. */
const withLimit = (text: string): string => text.replace("upload_max_output_body_len 0;", "upload_max_output_body_len 100m;");

describe("module: configurations in the wild", () => {
  it.each(named(all))("%s", async (_, wild) => {
    await run(wild, withLimit);
  });

  it.each(named(limitless))("%s as it is: upload_max_output_body_len 0 is no limit", async (_, wild) => {
    await run(wild);
  });
});

const missing = withoutDocker();
for (const release of [trixie, newest]) {
  const reason = missing ?? (await gone(release));
  describe.skipIf(reason)(`module: configurations in the wild, nginx of Debian ${release.name}${reason ? ` (skipped: ${reason})` : ""}`, () => {
    let program: NginxProgram;
    beforeAll(async () => {
      program = await programOf(release);
    }, 900_000);

    it.each(named(all))("%s", async (_, wild) => {
      await run(wild, withLimit, program);
    });
  });
}

const ranged = await takes("upload_resumable on;");
describe.skipIf(!ranged)(`module: configurations in the wild, files in pieces${ranged ? "" : " (skipped: nginx -t refuses upload_resumable)"}`, () => {
  it.each(named(rangedCases))("%s", async (_, wild) => {
    await run(wild);
  });
});
