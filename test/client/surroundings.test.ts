import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { proxyFor, readToken } from "../../client/surroundings.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-token-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ["https://a.example/", { HTTPS_PROXY: "http://p:3128" }, "http://p:3128/"],
  ["https://a.example/", { https_proxy: "p:3128", HTTPS_PROXY: "http://other" }, "http://p:3128/"],
  ["https://a.example/", { ALL_PROXY: "https://p" }, "https://p/"],
  ["http://a.example/", { HTTP_PROXY: "http://p" }, undefined],
  ["http://a.example/", { http_proxy: "http://p" }, "http://p/"],
  ["https://a.example/", { HTTPS_PROXY: "http://p", NO_PROXY: "other, example" }, undefined],
  ["https://a.example:8443/", { HTTPS_PROXY: "http://p", no_proxy: "a.example:443" }, "http://p/"],
  ["https://notexample/", { HTTPS_PROXY: "http://p", NO_PROXY: ".example" }, "http://p/"],
  ["https://[::1]/", { HTTPS_PROXY: "http://p", NO_PROXY: "::1" }, undefined],
  ["https://a/", { HTTPS_PROXY: "http://p", NO_PROXY: "*" }, undefined],
  ["https://a/", { HTTPS_PROXY: "" }, undefined],
])("%s with %j goes through %s", (url, env, proxy) => expect(proxyFor(new URL(url), env)?.href).toBe(proxy));

it("refuses a proxy of another kind without showing its password", () => {
  expect(() => proxyFor(new URL("https://a/"), { HTTPS_PROXY: "socks5://me:secret@p" })).toThrow('got "socks5://[hidden]@p"');
});

const site = new URL("https://site/upload");
const never = async (): Promise<string> => expect.fail("nothing is to be asked");
const read = (flags: { tokenFile?: string; askToken?: boolean; url?: URL }, env: Record<string, string> = {}, ask = never) =>
  readToken({ tokenFile: undefined, askToken: false, url: site, ...flags }, env, folder, ask);

it("takes the token from the file, the question, or the variable", async () => {
  writeFileSync(join(folder, "token"), "from-file\n");
  expect(await read({ tokenFile: "token" }, { SLIPWAY_TOKEN: "from-variable" })).toBe("from-file");
  expect(await read({ askToken: true }, {}, async () => "typed ")).toBe("typed");
  expect(await read({}, { SLIPWAY_TOKEN: "from-variable" })).toBe("from-variable");
  expect(await read({})).toBeUndefined();
});

it("refuses what is no token, and to send one unencrypted", async () => {
  writeFileSync(join(folder, "two"), "one\ntwo\n");
  await expect(read({ tokenFile: "two" })).rejects.toThrow("--token-file: not a token; it must be one line");
  await expect(read({ tokenFile: "gone" })).rejects.toThrow('--token-file: cannot be read, got "gone" (ENOENT)');
  await expect(read({ url: new URL("http://site/upload") }, { SLIPWAY_TOKEN: "t" })).rejects.toThrow("unencrypted; use https://");
  expect(await read({ url: new URL("http://127.0.0.1/upload") }, { SLIPWAY_TOKEN: "t" })).toBe("t");
});
