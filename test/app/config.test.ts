import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigProblems, readConfig } from "../../app/config.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-config-"));
const secretFile = join(folder, "secret");
const secret = "0123456789abcdef".repeat(4);
writeFileSync(secretFile, `${secret}\n`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const least = { SLIPWAY_STORE: folder, SLIPWAY_DATABASE: join(folder, "a.db"), SLIPWAY_SECRET_FILE: secretFile };

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigProblems) return error.problems;
    throw error;
  }
  return [];
}

it("fills in the defaults", () => {
  expect(readConfig(least)).toEqual({
    host: "127.0.0.1",
    port: 8080,
    store: folder,
    database: join(folder, "a.db"),
    secret,
    logLevel: "info",
    fileMode: 0o660,
    directoryMode: 0o2770,
    abandonedAfter: 86_400,
    siteName: "slipway",
  });
});

it("reads what is set", () => {
  const config = readConfig({
    ...least,
    SLIPWAY_LISTEN: "[::1]:0",
    SLIPWAY_FILE_MODE: "640",
    SLIPWAY_DIRECTORY_MODE: "0750",
  });
  expect(config).toMatchObject({ host: "::1", port: 0, fileMode: 0o640, directoryMode: 0o750 });
});

it("tells all problems at once", () => {
  expect(problemsOf({ SLIPWAY_LISTEN: "8080", SLIPWAY_LOG_LEVEL: "loud" })).toEqual([
    'SLIPWAY_LISTEN: not usable, got "8080"; use an address and a port ("0.0.0.0:8080")',
    'SLIPWAY_STORE: not set; use the absolute path of a directory that exists ("/srv/slipway")',
    'SLIPWAY_DATABASE: not set; use an absolute path in a directory that exists and can be written ("/var/lib/slipway/slipway.db")',
    "SLIPWAY_SECRET_FILE: not set; use the path of a readable file with at least 32 hex digits on one line",
    'SLIPWAY_LOG_LEVEL: not usable, got "loud"; use one of debug, info, warn, error',
  ]);
});

describe("refuses", () => {
  it.each([
    ["SLIPWAY_LISTEN", "0.0.0.0:65536"],
    ["SLIPWAY_LISTEN", "host name:80"],
    ["SLIPWAY_STORE", "relative"],
    ["SLIPWAY_STORE", "/does/not/exist"],
    ["SLIPWAY_STORE", secretFile],
    ["SLIPWAY_DATABASE", "/does/not/exist/a.db"],
    ["SLIPWAY_SECRET_FILE", "/does/not/exist"],
    ["SLIPWAY_FILE_MODE", "0888"],
    ["SLIPWAY_FILE_MODE", "rw"],
    ["SLIPWAY_ABANDONED_AFTER", "0"],
    ["SLIPWAY_ABANDONED_AFTER", "1d"],
    ["SLIPWAY_SITE_NAME", " "],
  ])("%s=%s", (name, value) => {
    const problems = problemsOf({ ...least, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${name}: not usable, got ${JSON.stringify(value)}; use `);
  });
});

it("never shows the secret, not even a wrong one", () => {
  const wrong = join(folder, "wrong");
  writeFileSync(wrong, "hunter2-hunter2-hunter2-hunter2-hunter2");
  const problems = problemsOf({ ...least, SLIPWAY_SECRET_FILE: wrong });
  expect(problems.join("\n")).toContain(wrong);
  expect(problems.join("\n")).not.toContain("hunter2");
});
