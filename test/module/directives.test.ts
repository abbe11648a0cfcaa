import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { crc32 } from "node:zlib";
import { withNginx } from "../helpers/nginx.ts";
import { fieldOf, fieldsOf, uploadServer, uploadSite } from "../helpers/upload-site.ts";
import { boundary, chunked, exchange, form, head, post } from "../helpers/wire.ts";

const content = Buffer.from(Array.from({ length: 100_001 }, (_, i) => (i * 31) & 0xff));
const file = { disposition: 'name="file"; filename="a.txt"', type: "text/plain", body: content };
const text = (name: string, body = "v") => ({ disposition: `name="${name}"`, body });

/** A server whose location has these directives and no others. */
const only = (directives: string): { server: string; keepsFiles: boolean } => ({ server: uploadServer(directives, ""), keepsFiles: true });

const names = (passed: Parameters<typeof fieldsOf>[0]): string[] => fieldsOf(passed).map(([name]) => name);

describe("module: fields", () => {
  it("computes every digest, in both cases", async () => {
    const algorithms = ["md5", "sha1", "sha256", "sha512"];
    const fields = [...algorithms.flatMap((name) => [name, `${name}_uc`]), "crc32", "size"].map((name) => `upload_aggregate_form_field ${name} "$upload_file_${name}";`);
    await withNginx(only(fields.join("\n")), async (site) => {
      await exchange(site.port, post("/upload", form([file])));
      const digest = (name: string): string => createHash(name).update(content).digest("hex");
      expect(fieldsOf(site.passed[0])).toEqual([
        ...algorithms.flatMap((name) => [[name, digest(name)], [`${name}_uc`, digest(name).toUpperCase()]]),
        ["crc32", crcOf(content)],
        ["size", "100001"],
      ]);
    });
  });

  it("evaluates set fields when the file begins and aggregates when it has ended", async () => {
    const directives = `
      upload_aggregate_form_field "$upload_field_name.after" "$upload_file_number $upload_file_name $upload_file_size $upload_content_range";
      upload_set_form_field "$upload_field_name.before" "$upload_file_number $upload_file_name [$upload_file_size]";
      upload_pass_form_field "";`;
    await withNginx(only(directives), async (site) => {
      const parts = [text("one"), { ...file, body: "12345" }, text("two"), { disposition: 'name="g"; filename="b"', body: "" }];
      await exchange(site.port, post("/upload", form(parts)));
      expect(fieldsOf(site.passed[0])).toEqual([
        ["one", "v"],
        ["file.before", "1 a.txt []"],
        ["file.after", "1 a.txt 5 bytes 0-4/5"],
        ["two", "v"],
        ["g.before", "2 b []"],
        ["g.after", "2 b 0 "],
      ]);
    });
  });

  it("takes other variables and fixed text in names and values", async () => {
    await withNginx(only('upload_set_form_field "${upload_field_name}_$arg_x" "$request_method $upload_content_type";'), async (site) => {
      await exchange(site.port, post("/upload?x=1", form([file])));
      expect(fieldsOf(site.passed[0])).toEqual([["file_1", "POST text/plain"]]);
    });
  });

  it.each([
    ["none", "", []],
    ["one without a group", 'upload_pass_form_field "^a$";', ["a"]],
    ["with groups", 'upload_pass_form_field "^(a)|(b)(c)$";', ["a", "ab", "bc"]],
    ["unanchored", 'upload_pass_form_field "b";', ["ab", "bc"]],
    ["case-sensitive", 'upload_pass_form_field "^A$";', ["A"]],
    ["several", 'upload_pass_form_field "^a$"; upload_pass_form_field "^bc$";', ["a", "bc"]],
    ["the empty one", 'upload_pass_form_field "";', ["a", "A", "ab", "bc"]],
  ])("passes ordinary fields by regular expression: %s", async (_, directives, expected) => {
    await withNginx(only(directives), async (site) => {
      await exchange(site.port, post("/upload", form([text("a"), text("A"), text("ab"), text("bc"), text("")])));
      expect(names(site.passed[0])).toEqual(expected);
    });
  });

  it.each(["upload_empty_fiels_names", "upload_empty_fields_names"])("%s passes fields without a name", async (directive) => {
    await withNginx(only(`upload_pass_form_field ""; ${directive} on;`), async (site) => {
      await exchange(site.port, post("/upload", form([text("")])));
      expect(names(site.passed[0])).toEqual([""]);
    });
  });

  it("strips [] from names only when told to", async () => {
    const directives = 'upload_set_form_field "$upload_field_name.n" x; upload_pass_form_field "";';
    const body = form([{ ...file, disposition: 'name="f[]"; filename="a"' }, text("t[]"), text("u[1]")]);
    for (const [flag, expected] of [["off", ["f[].n", "t[]", "u[1]"]], ["on", ["f.n", "t", "u[1]"]]] as const) {
      await withNginx(only(`${directives} upload_tame_arrays ${flag};`), async (site) => {
        await exchange(site.port, post("/upload", body));
        expect(names(site.passed[0])).toEqual(expected);
      });
    }
  });

  it.each([1, 5, 13, 100])("tells a boundary in a field from what only looks like one, in chunks of %i bytes", async (size) => {
    await withNginx(only('upload_pass_form_field "";'), async (site) => {
      const almost = [`--${boundary.slice(0, -1)}`, `-${boundary}`, `--${boundary.slice(1)}`, `-- ${boundary}`].join("").repeat(3);
      const send = (body: string): ReturnType<typeof exchange> => exchange(site.port, head("/upload", { extra: ["Transfer-Encoding: chunked"] }), chunked(form([text("a", body)]), size));
      expect((await send(almost)).status).toBe(200);
      expect(fieldOf(site.passed[0], "a")).toBe(almost);
      for (const before of ["", "x", almost]) expect((await send(`${before}\n--${boundary}`)).status, before).toBe(400);
    });
  });

  it("passes a field of many kilobytes whole", async () => {
    await withNginx(only('upload_pass_form_field ""; upload_max_output_body_len 1m;'), async (site) => {
      const value = "0123456789abcdef".repeat(5000);
      await exchange(site.port, post("/upload", form([text("a", value)])));
      expect(fieldOf(site.passed[0], "a")).toBe(value);
    });
  });
});

describe("module: passing on", () => {
  const target = 'location /done { proxy_pass http://%UPSTREAM%; }';
  const pass = (directives: string): { server: string; keepsFiles: boolean } => ({
    server: `location /upload { upload_store %STORE%; ${directives} }\n${target}`,
    keepsFiles: true,
  });
  const body = form([]);

  it.each([
    ["upload_pass /done;", "/done"],
    ["upload_pass /done; upload_pass_args on;", "/done?a=1&b=2"],
    ["upload_pass /done?c=3;", "/done?c=3"],
    ["upload_pass /done?c=3; upload_pass_args on;", "/done?c=3&a=1&b=2"],
    ["upload_pass /done/$arg_a;", "/done/1"],
    ["set $t /done; upload_pass $t;", "/done"],
  ])("%s", async (directives, url) => {
    await withNginx(pass(directives), async (site) => {
      expect((await exchange(site.port, post("/upload?a=1&b=2", body))).status).toBe(200);
      expect(site.passed[0]).toMatchObject({ url, method: "POST" });
    });
  });

  it("takes a named location from a variable, and keeps URI and arguments", async () => {
    const server = `location /upload { upload_store %STORE%; set $t "@done"; upload_pass $t; } location @done { proxy_pass http://%UPSTREAM%; }`;
    await withNginx({ server }, async (site) => {
      expect((await exchange(site.port, post("/upload/x?a=1", body))).status).toBe(200);
      expect(site.passed[0]!.url).toBe("/upload/x?a=1");
    });
  });

  it("answers 500 when a variable is no target, or leads back to an upload", async () => {
    const server = `
      location /upload { upload_store %STORE%; upload_pass $arg_t; }
      location /loop { upload_store %STORE%; upload_pass /loop; }`;
    await withNginx({ server }, async (site) => {
      const one = form([file]);
      expect((await exchange(site.port, post("/upload?t=x", one))).status).toBe(500);
      expect((await exchange(site.port, post("/upload?t=@none", one))).status).toBe(500);
      expect((await exchange(site.port, post("/upload", one))).status).toBe(500);
      expect((await exchange(site.port, post("/loop", one))).status).toBe(500);
      await site.until(() => site.files().length === 0, "the files to go");
    });
  });

  it("adds a header to the answer once, also with several files", async () => {
    const directives = 'upload_add_header X-Files "$upload_file_number"; upload_add_header X-None "$arg_none";';
    await withNginx(uploadSite(directives, { answer: () => ({ status: 201 }) }), async (site) => {
      const answer = await exchange(site.port, post("/upload", form([file, file, file])));
      expect(answer.status).toBe(201);
      expect(answer.headers).toMatchObject({ "x-files": "3" });
      expect(answer.headers).not.toHaveProperty("x-none");
    });
  });

  it("limits the rate of a request", async () => {
    await withNginx(uploadSite("upload_limit_rate 20k; client_body_buffer_size 4k; client_body_timeout 1s;"), async (site) => {
      const started = process.hrtime.bigint();
      expect((await exchange(site.port, post("/upload", form([{ ...file, body: "x".repeat(60_000) }])))).status).toBe(200);
      // Not a measure of speed: the bytes beyond the first ones cannot be taken sooner than the rate allows.
      expect(Number(process.hrtime.bigint() - started) / 1e9).toBeGreaterThan(2);
      expect(readFileSync(site.files()[0]!, "latin1")).toHaveLength(60_000);
    });
  });
});

/** Eight lower-case hexadecimal digits. */
function crcOf(data: Buffer): string {
  return crc32(data).toString(16).padStart(8, "0");
}
