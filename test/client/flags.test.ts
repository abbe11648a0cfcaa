import { describe, expect, it } from "vitest";
import { checkAddress } from "../../client/address.ts";
import { parseFlags, siteUrl } from "../../client/flags.ts";
import { UsageError } from "../../client/usage.ts";

describe("the command line of push", () => {
  it("takes files, then the address", () => {
    const flags = parseFlags(["a.bin", "b.bin", "--description", "two files", "--json", "https://localhost:8443"]);
    expect(flags).toEqual({
      files: ["a.bin", "b.bin"], url: new URL("https://localhost:8443/"), caFile: undefined, name: undefined,
      description: "two files", json: true, quiet: false, skipUnreadable: false, again: false, restart: false, dryRun: false, include: [], exclude: [],
      manifest: undefined, writeManifest: undefined, streams: "auto", parallel: "auto", rate: undefined, tokenFile: undefined, askToken: false,
    });
  });

  it("reads each option of the table", () => {
    const flags = parseFlags([
      "--include", "*.h5", "--include=*.txt", "--exclude", "tmp/", "--streams", "8", "--parallel", "auto", "--limit-rate", "10m",
      "--token-file", "t", "-q", "--again", "--restart", "--dry-run", "--write-manifest", "-", "--manifest", "SUMS", "https://localhost",
    ]);
    expect(flags).toMatchObject({
      files: [], include: ["*.h5", "*.txt"], exclude: ["tmp/"], streams: 8, parallel: "auto", rate: 10 * 1024 * 1024,
      tokenFile: "t", quiet: true, again: true, restart: true, dryRun: true, writeManifest: "-", manifest: "SUMS",
    });
    expect(parseFlags(["--name", "data.tar", "-", "https://localhost"])).toMatchObject({ files: ["-"], name: "data.tar" });
  });

  it("answers --help before anything else is looked at", () => {
    expect(parseFlags(["--help"])).toBe("help");
    expect(parseFlags(["-h", "x"])).toBe("help");
  });

  it.each([
    [[], /no file and no URL, got nothing; give FILE... URL/],
    [["https://localhost"], /no file before the URL https:\/\/localhost; give FILE... URL/],
    [["run-17"], /no URL after run-17; give FILE... URL/],
    [["a", "b"], /not the address of a site, got "b"; write https:\/\/host\//],
    [["a", "ftp://localhost"], /not the address of a site, got "ftp:\/\/localhost"/],
    [["a", "https://local host"], /not the address of a site/],
    [["--insecure", "a", "https://localhost"], /no such option, got "--insecure"$/],
    [["--strems", "2", "a", "https://localhost"], /got "--strems"; did you mean --streams\?/],
    [["--token", "secret", "a", "https://localhost"], /every user of this machine; use --token-file FILE, --ask-token, or the variable SLIPWAY_TOKEN/],
    [["--token=secret", "a", "https://localhost"], /every user of this machine/],
    [["a", "https://me:secret@localhost"], /holds a password/],
    [["--streams", "0", "a", "https://localhost"], /--streams: not a number from 1 to 64, got "0"; use one, or auto/],
    [["--parallel", "many", "a", "https://localhost"], /--parallel: not a number/],
    [["--limit-rate", "1.5m", "a", "https://localhost"], /--limit-rate: not a rate, got "1.5m"/],
    [["-", "https://localhost"], /no name; give --name NAME/],
    [["--name", "x", "a", "https://localhost"], /--name is for standard input/],
    [["--name", "x", "-", "a", "https://localhost"], /goes alone, got 2 files/],
    [["--json", "--quiet", "a", "https://localhost"], /exclude each other/],
    [["--json", "--write-manifest", "-", "a", "https://localhost"], /both write to stdout/],
    [["a", "https://localhost", "--cacert"], /--cacert/],
  ])("refuses %j", (args, message) => {
    expect(() => parseFlags(args as string[])).toThrow(UsageError);
    expect(() => parseFlags(args as string[])).toThrow(message as RegExp);
  });

  it.each([
    ["https://localhost", "https://localhost/"],
    ["https://localhost:8443/put/here", "https://localhost:8443/put/here"],
    ["http://10.0.0.1:80/?x=1", "http://10.0.0.1/?x=1"],
  ])("takes %s as %s", (given, url) => {
    expect(siteUrl(given).href).toBe(url);
  });

  it.each(["https://localhost", "https://localhost/put", "https://localhost/put/", "https://localhost/#files"])("lets %s stand for a site that takes uploads at /put", (given) => {
    expect(() => checkAddress(siteUrl(given), "/put")).not.toThrow();
  });

  it.each(["https://localhost/upload", "https://localhost/putt", "https://localhost/list?new=1", "https://localhost/?x", "https://localhost/tus/"])("refuses %s there, and says what is allowed", (given) => {
    expect(() => checkAddress(siteUrl(given), "/put")).toThrow(UsageError);
    expect(() => checkAddress(siteUrl(given), "/put")).toThrow(`got "${given}"; give https://localhost/ or https://localhost/put`);
    expect(() => checkAddress(siteUrl(given), undefined)).not.toThrow();
  });
});
