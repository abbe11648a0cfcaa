import { describe, expect, it } from "vitest";
import * as allow from "../../lib/allow.ts";
import type { ValueType } from "../../lib/allow.ts";
import type { Problem } from "../../lib/problems.ts";

function check(type: ValueType<unknown>, value: unknown): { parsed: unknown; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  return { parsed: type.parse(value, "p", (problem) => problems.push(problem)), problems };
}

type Case = readonly [name: string, type: ValueType<unknown>, good: readonly unknown[], bad: readonly unknown[]];

const cases: readonly Case[] = [
  ["hostName", allow.hostName, ["localhost", "a.b.example", "192.0.2.1", "x-1.y", "a".repeat(63)], ["", ".", "a.", "-a", "a-", "a..b", "a_b", "*.a", "A.example", "a b", "ä.de", "a".repeat(64), `${"a.".repeat(127)}aa`, 1, null, "a\n"]],
  ["address", allow.address, ["127.0.0.1", "0.0.0.0", "::1", "::", "2001:db8::7", "::ffff:192.0.2.1"], ["localhost", "127.1", "256.0.0.1", "fe80::1%eth0", "[::1]", ":::", "", "127.0.0.1 ", "1.2.3.4\n"]],
  ["hostAndPort", allow.hostAndPort, ["web:8000", "my_app.net:1", "192.0.2.7:65535", "[::1]:80", "host.docker.internal:8000"], ["web", "web:", "web:0", "web:65536", ":80", "::1:80", "[web]:80", "a..b:80", "web:80/x", "http://web:80", "web:080"]],
  ["origin", allow.origin, ["*", "https://app.example", "http://localhost:8080", "https://[::1]:8443", "https://192.0.2.7"], ["", "app.example", "https://", "https://a/", "https://A.example", "https://a b", "https://*.a", "ftp://a", "https://a:0", "https://a;b", "null"]],
  ["absolutePath", allow.absolutePath, ["/a", "/srv/my-data_1/x.pem", "/home/a@b/~x+y"], ["", "/", "a/b", "/a/", "//a", "/a//b", "/a/../b", "/a/.", "/a b", "/a,b", "/a\n", "/a$b", `/${"a".repeat(1024)}`, "C:\\x"]],
  ["urlPath", allow.urlPath, ["/upload", "/upload/", "/a/b.c/~d"], ["", "/", "upload", "//a", "/a//", "/a/../b", "/a?b", "/a%20", "/a#b", "/ä"]],
  ["dockerName", allow.dockerName, ["a", "my_net-1.x"], ["", "-a", "a/b", "a b", "a".repeat(129)]],
  ["siteName", allow.siteName, ["a", "slipway", "site-2", "a".repeat(40)], ["", "A", "2a", "a-", "a_b", "a.b", "..", "a".repeat(41)]],
  ["imageReference", allow.imageReference, ["debian:trixie-slim", "debian", "registry.example:5000/a/b_c:1.0", `debian@sha256:${"0".repeat(64)}`, "localhost/x"], ["", "Debian", "debian:", "debian:a b", "debian@sha256:00", "http://x/y", "a//b", "-a", "a:${x}"]],
  ["sha256", allow.sha256, ["0a".repeat(32)], ["0A".repeat(32), "0a".repeat(31), "0g".repeat(32), ""]],
  ["directoryMode", allow.directoryMode, ["2770", "0755", "0700", "3711"], ["770", "4770", "0773", "0660", "2775x", 770, "2720"]],
  ["fileMode", allow.fileMode, ["0660", "0600", "0644", "0666"], ["660", "0770", "2660", "0460", "0661", "0620"]],
  ["statusRange", allow.statusRange, ["404", "200-599", "499"], ["199", "600", "500-400", "404-404", "4xx", "404-", "-404", 404, "400 - 500"]],
  ["boolean", allow.boolean, [true, false], ["true", 1, 0, null]],
  ["port", allow.port, [1, 443, 65_535], [0, 65_536, 1.5, "443", -1, NaN, Infinity, null]],
  ["portOrNone", allow.portOrNone, [false, 80], [true, 0, "80", null]],
  ["oneOf", allow.oneOf("a", "b"), ["a", "b"], ["c", "", "A", 1, null, ["a"]]],
  ["size", allow.size({ min: "16k", max: "64m", zero: true }), [], ["15k", "65m", "1g", "1.5m", 0, 65_536]],
  ["size without zero", allow.size({ min: "16k" }), [], ["0", "1k"]],
  ["duration", allow.duration("1s", "1d"), [], ["999ms", "25h", "0s", "1y", 60]],
  ["list", allow.list(allow.port, { min: 1, max: 3 }), [[1], [1, 2, 3]], [[], [1, 2, 3, 4], [1, 1], [0], "1", { 0: 1, length: 1 }, null]],
  ["list with repeats", allow.list(allow.port, { min: 0, max: 3, repeats: true }), [[], [1, 1]], [[1, 1, 1, 1]]],
  ["record", allow.record(allow.hostName, allow.hostName, 2), [{}, { a: "b" }], [{ a: 1 }, { "a b": "c" }, { a: "b", b: "c", c: "d" }, [], null, "x"]],
];

describe.each(cases)("%s", (_, type, good, bad) => {
  it.each(good.length > 0 ? good.map((value) => [value]) : [])("takes %j", (value) => {
    expect(check(type, value)).toEqual({ parsed: value, problems: [] });
  });

  it.each(bad.map((value) => [value]))("refuses %j, and says what is allowed", (value) => {
    const { parsed, problems } = check(type, value);
    expect(parsed).toBeUndefined();
    expect(problems.length).toBeGreaterThan(0);
    for (const { path, what, fix } of problems) {
      expect(path).toMatch(/^p/);
      expect(what).toMatch(/^[a-z]/);
      expect(fix).toMatch(/^(use|remove)/);
    }
  });
});

it("gives sizes with their bytes and durations with their seconds", () => {
  expect(check(allow.size({ zero: true }), "2m").parsed).toEqual({ text: "2m", bytes: 2_097_152 });
  expect(check(allow.size({ zero: true }), "0").parsed).toEqual({ text: "0", bytes: 0 });
  expect(check(allow.duration("1s", "1d"), "2m").parsed).toEqual({ text: "2m", milliseconds: 120_000, seconds: 120 });
});

it("names the item of a list and the entry of a record that is wrong", () => {
  expect(check(allow.list(allow.port, { min: 0, max: 9 }), [1, 0, 2, "x"]).problems.map(({ path }) => path)).toEqual(["p[1]", "p[3]"]);
  expect(check(allow.record(allow.hostName, allow.hostName, 9), { a: "b", c: "d e" }).problems.map(({ path }) => path)).toEqual(['p["c"]']);
});

it("uses the right article", () => {
  const whats = [allow.size(), allow.hostName, allow.address, allow.sha256, allow.oneOf("a", "b"), allow.boolean].map((type) => check(type, {}).problems[0]!.what);
  expect(whats).toEqual(["not an nginx size", "not a host name", "not an IP address", "not a SHA-256", 'not one of "a", "b"', "not true or false"]);
});
