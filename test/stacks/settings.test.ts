import { describe, expect, it } from "vitest";
import { Application, Storage, Tls, UploadModule } from "../../stacks/factories.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite, SiteProblems } from "../../stacks/settings.ts";
import site from "../../stacks/site.ts";

function problemsOf(props: unknown): readonly string[] {
  try {
    checkSite(props as SiteProps);
    return [];
  } catch (error) {
    if (error instanceof SiteProblems) return error.problems;
    throw error;
  }
}

describe("defaults", () => {
  it("fill in a whole site", () => {
    expect(checkSite({})).toMatchObject({
      name: "slipway",
      serverNames: ["localhost"],
      listen: { address: "127.0.0.1", httpsPort: 443, httpPort: 80, publicWithoutAuthentication: false },
      tls: { kind: "selfSigned" },
      storage: { place: { kind: "volume", name: "slipway-data" }, uid: 10001, gid: 10001, directoryMode: "2770", fileMode: "0660", hashLevels: [1] },
      upload: { path: "/upload", checksums: ["sha256"], maxFileSize: { text: "0", bytes: 0 }, bodyTimeout: { seconds: 60 } },
      images: { base: "debian:trixie-slim", module: { kind: "own" } },
      service: { memoryMiB: 256, abandonedAfter: { text: "24h", seconds: 86_400 } },
      application: null,
    });
  });

  it("are what the example site spells out", () => {
    expect(checkSite(site)).toEqual(checkSite({}));
  });

  it("follow the site's name and the upload's path", () => {
    const settings = checkSite({ name: "docs", upload: { path: "/in/" }, application: Application.uwsgi("web:8000") });
    expect(settings.storage.place).toEqual({ kind: "volume", name: "docs-data" });
    expect(settings.application).toEqual({ kind: "uwsgi", address: "web:8000", network: null, completionPath: "/in/" });
  });

  it("stand in for undefined", () => {
    expect(checkSite({ name: undefined, upload: { path: undefined }, application: undefined } as unknown as SiteProps)).toEqual(checkSite({}));
  });

  it("are frozen to the bottom, and the props stay as they were", () => {
    const props = { serverNames: ["a.example"], upload: { setFields: { ...checkSite({}).upload.setFields } } };
    const settings = checkSite(props);
    expect(() => ((settings.upload as { path: string }).path = "/x")).toThrow(TypeError);
    expect(() => (settings.serverNames as string[]).push("x")).toThrow(TypeError);
    props.serverNames.push("b.example");
    expect(settings.serverNames).toEqual(["a.example"]);
  });
});

describe("factories", () => {
  it("make what the props take", () => {
    const settings = checkSite({
      tls: Tls.files({ certificate: "/c.pem", key: "/k.pem" }),
      storage: { place: Storage.bind("/srv/uploads") },
      images: { module: UploadModule.archive("/m.tar.gz", "ab".repeat(32)) },
      application: Application.http("web:8000", { network: "front", completionPath: "/done/" }),
    });
    expect(settings).toMatchObject({
      tls: { kind: "files", certificate: "/c.pem", key: "/k.pem", ca: null },
      storage: { place: { kind: "bind", path: "/srv/uploads" } },
      images: { module: { kind: "archive", path: "/m.tar.gz", sha256: "ab".repeat(32) } },
      application: { kind: "http", address: "web:8000", network: "front", completionPath: "/done/" },
    });
    expect(checkSite({ storage: { place: Storage.volume("box") }, tls: Tls.selfSigned(), images: { module: UploadModule.folder("/m") } })).toMatchObject({
      storage: { place: { kind: "volume", name: "box" } },
      images: { module: { kind: "folder", path: "/m" } },
    });
    expect(checkSite({ images: { module: UploadModule.own() } }).images.module).toEqual({ kind: "own" });
  });
});

const without = (name: string): Record<string, string> => Object.fromEntries(Object.entries(checkSite({}).upload.setFields).filter(([key]) => key !== name));

/** Props, and the beginning of each problem that they must give, in order. */
const wrong: readonly (readonly [title: string, props: unknown, problems: readonly string[]])[] = [
  ["no object", null, ["site: not an object, got null; use { name, serverNames, "]],
  ["a list", [], ["site: not an object, got []; "]],
  ["a group that is none", { upload: "x", storage: { place: 1 } }, ['site.upload: not an object, got "x"; use { path, ', "site.storage.place: not an object, got 1; use { kind, name, path }"]],
  ["an unknown key", { uplaod: {} }, ['site.uplaod: unknown setting, got {}; did you mean "upload"?']],
  ["an unknown key below", { upload: { maxfilesize: "1g", zzzzz: 1 } }, ['site.upload.maxfilesize: unknown setting, got "1g"; did you mean "maxFileSize"?', "site.upload.zzzzz: unknown setting, got 1; known here: path, setFields, "]],
  ["a key of Object.prototype", JSON.parse('{"__proto__": {"name": "x"}, "constructor": 1}'), ['site.__proto__: unknown setting, got {"name":"x"}; known here', "site.constructor: unknown setting, got 1; known here"]],
  ["a size", { upload: { maxFileSize: "1.5g" } }, ['site.upload.maxFileSize: not an nginx size, got "1.5g"; use an integer with k, m or g ("1536m"), "0" for no limit']],
  ["null", { name: null }, ["site.name: not a site name, got null; "]],
  ["root", { storage: { uid: 0, gid: 0 } }, ["site.storage.uid: not a user id, got 0; use a whole number from 1 to", "site.storage.gid: not a group id, got 0; "]],
  ["a number as a mode", { storage: { fileMode: 660 } }, ['site.storage.fileMode: not a file mode, got 660; use four octal digits as text']],
  ["a public address", { listen: { address: "0.0.0.0" } }, ['site.listen.address: not a loopback address, and the site asks nobody who they are, got "0.0.0.0"; use a loopback address ("127.0.0.1"), or say listen.publicWithoutAuthentication: true']],
  ["a public IPv6 address", { listen: { address: "::" } }, ["site.listen.address: not a loopback address"]],
  ["an address that only looks like loopback", { listen: { address: "1::1" } }, ["site.listen.address: not a loopback address"]],
  ["one port for both", { listen: { httpsPort: 8443, httpPort: 8443 } }, ["site.listen.httpPort: the same port as listen.httpsPort, got 8443; "]],
  ["too many directories", { storage: { hashLevels: [3, 3] } }, ["site.storage.hashLevels: would make 1000000 directories, got [3,3]; use at most 5 digits"]],
  ["too many levels", { storage: { hashLevels: [1, 1, 1, 1] } }, ["site.storage.hashLevels: too many values, got 4; "]],
  ["a folder of the system", { storage: { place: { kind: "bind", path: "/etc/uploads" } } }, ['site.storage.place.path: a folder of the system, which the mount would hide inside the containers, got "/etc/uploads"']],
  ["a body smaller than its file", { upload: { maxFileSize: "1g", maxBodySize: "1024m" } }, ['site.upload.maxBodySize: not larger than upload.maxFileSize ("1g"), got "1024m"']],
  ["a required prop left out", { tls: { kind: "files", certificate: "/c.pem" } }, ["site.tls.key: missing; use a path"]],
  ["a prop of another kind", { tls: { kind: "selfSigned", key: "/k.pem" } }, ['site.tls.key: has no meaning with kind "selfSigned", got "/k.pem"; remove it, or set tls.kind to "files"']],
  ["an unknown kind, and only that", { tls: { kind: "file", key: 1 } }, ['site.tls.kind: not one of "files", "selfSigned", got "file"; ']],
  ["a checksum twice", { upload: { checksums: ["md5", "md5"] } }, ['site.upload.checksums[1]: named twice, got "md5"; remove one']],
  ["no checksum", { upload: { checksums: [] } }, ["site.upload.checksums: Slipway's service records at least one checksum, got []; "]],
  ["a fact that is dropped", { upload: { setFields: without("$upload_field_name.path") } }, ['site.upload.setFields["$upload_field_name.path"]: not what Slipway\'s service needs to file an upload; add "$upload_field_name.path": "$upload_tmp_path"']],
  ["a fact that is changed", { upload: { setFields: { ...without(""), "$upload_field_name.name": "x" } } }, ['site.upload.setFields["$upload_field_name.name"]: not what Slipway\'s service needs to file an upload, got "x"; ']],
  ["a field twice", { upload: { aggregateFields: { "$upload_field_name.size": "$upload_file_size" } } }, ['site.upload.aggregateFields["$upload_field_name.size"]: set twice: size and checksums are always passed on; remove it']],
  ["a field of both lists", { upload: { aggregateFields: { "$upload_field_name.name": "x" } } }, ['site.upload.aggregateFields["$upload_field_name.name"]: set twice: upload.setFields has the same name; remove one']],
  ["a path of the service", { upload: { path: "/api/upload/" } }, ["site.upload.path: taken: /api is a path of Slipway's own, got"]],
  ["a path of nginx's own, for an application", { upload: { path: "/_slipway" }, application: { kind: "http", address: "web:80" } }, ["site.upload.path: taken: /_slipway"]],
  ["a service beside an application", { service: { memoryMiB: 64 }, application: { kind: "http", address: "web:80" } }, ["site.service: without effect, since the application takes the completions; "]],
  ["an application without an address", { application: {} }, ['site.application.kind: missing; use one of "http", "uwsgi"', 'site.application.address: missing; use "host:port"']],
];

describe("problems", () => {
  it.each(wrong.map(([title, props, expected]) => [title, props, expected] as const))("of %s", (_, props, expected) => {
    const got = problemsOf(props);
    expect(got).toHaveLength(expected.length);
    expected.forEach((beginning, i) => expect(got[i]!.slice(0, beginning.length)).toBe(beginning));
  });

  it("are all told at once, those between settings as well", () => {
    const got = problemsOf({ name: "A", listen: { address: "0.0.0.0", httpsPort: 0 }, upload: { maxFileSize: "1t", nope: 1 }, storage: { hashLevels: [3, 3] } });
    expect(got.map((line) => line.split(":")[0])).toEqual(["site.upload.nope", "site.name", "site.listen.httpsPort", "site.upload.maxFileSize", "site.listen.address", "site.storage.hashLevels"]);
  });

  it("between settings are not guessed at when one of them is wrong already", () => {
    expect(problemsOf({ listen: { address: "everywhere" } })).toHaveLength(1);
    expect(problemsOf({ upload: { maxFileSize: "x", maxBodySize: "1" } })).toHaveLength(1);
  });
});

describe("allowed", () => {
  it.each<[string, SiteProps]>([
    ["any loopback address", { listen: { address: "127.0.0.53" } }],
    ["IPv6 loopback", { listen: { address: "::1" } }],
    ["IPv6 loopback in full", { listen: { address: "0:0:0:0:0:0:0:1" } }],
    ["a public address that is meant", { listen: { address: "0.0.0.0", publicWithoutAuthentication: true } }],
    ["no redirect", { listen: { httpPort: false } }],
    ["no hashed directories", { storage: { hashLevels: [] } }],
    ["as many as there may be", { storage: { hashLevels: [2, 3] } }],
    ["an application without facts, checksums or free paths", { upload: { setFields: {}, checksums: [], path: "/api/" }, application: Application.http("web:80") }],
    ["more fields", { upload: { setFields: { ...without(""), extra: "$upload_file_number" }, aggregateFields: { "$upload_field_name.crc": "$upload_file_crc32" } } }],
    ["nothing passed and nothing cleaned", { upload: { passFields: [], cleanup: [] } }],
    ["a body larger than its file", { upload: { maxFileSize: "1g", maxBodySize: "1025m" } }],
  ])("%s", (_, props) => {
    expect(problemsOf(props)).toEqual([]);
  });
});
