import { describe, expect, it } from "vitest";
import { parseFlags, uploadUrl, UsageError } from "../../client/flags.ts";

describe("the command line of push", () => {
  it("takes files, then the address", () => {
    const flags = parseFlags(["a.bin", "b.bin", "--description", "two files", "--json", "https://localhost:8443"]);
    expect(flags).toEqual({
      files: ["a.bin", "b.bin"], url: new URL("https://localhost:8443/upload"), caFile: undefined,
      description: "two files", json: true, skipUnreadable: false,
    });
  });

  it("answers --help before anything else is looked at", () => {
    expect(parseFlags(["--help"])).toBe("help");
    expect(parseFlags(["-h", "x"])).toBe("help");
  });

  it.each([
    [[], /no file and no URL, got 0 arguments/],
    [["https://localhost"], /a file or the URL is missing, got 1 arguments/],
    [["a", "b"], /not the address of a site, got "b"; write https:\/\/host\//],
    [["a", "ftp://localhost"], /not the address of a site, got "ftp:\/\/localhost"/],
    [["a", "https://local host"], /not the address of a site/],
    [["--insecure", "a", "https://localhost"], /--insecure/],
    [["a", "https://localhost", "--cacert"], /--cacert/],
  ])("refuses %j", (args, message) => {
    expect(() => parseFlags(args as string[])).toThrow(UsageError);
    expect(() => parseFlags(args as string[])).toThrow(message as RegExp);
  });

  it.each([
    ["https://localhost", "https://localhost/upload"],
    ["https://localhost/", "https://localhost/upload"],
    ["https://localhost:8443/put/here", "https://localhost:8443/put/here"],
    ["http://10.0.0.1:80/?x=1", "http://10.0.0.1/upload?x=1"],
  ])("sends %s to %s", (given, sent) => {
    expect(uploadUrl(given).href).toBe(sent);
  });
});
