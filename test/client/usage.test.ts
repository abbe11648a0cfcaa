import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { completionScript } from "../../client/completion.ts";
import { exitCodeOf, exitCodes } from "../../client/exit-codes.ts";
import { optionRows, spelled } from "../../client/options.ts";
import { renderPushReference } from "../../client/reference.ts";
import { USAGE } from "../../client/usage.ts";

const has = (program: string): boolean => execaSync("which", [program], { reject: false }).exitCode === 0;

describe("what push says of itself", () => {
  it("has a page that is current", () => {
    expect(readFileSync(join(import.meta.dirname, "../../docs/reference/push.md"), "utf8"), "run npm run reference").toBe(renderPushReference());
  });

  it.each(optionRows.map((row) => [spelled(row), row[1].help]))("names %s in the help and on the page", (option, help) => {
    expect(USAGE).toContain(`  ${option}`);
    expect(USAGE.replace(/\s+/g, " ")).toContain(help);
    expect(renderPushReference()).toContain(`\`${option}\``);
  });

  it("keeps the help within 82 columns", () => expect(USAGE.split("\n").filter((line) => line.length > 82)).toEqual([]));

  it("names every exit code", () => {
    for (const [code, text] of Object.entries(exitCodes)) expect(USAGE.replace(/\s+/g, " ")).toContain(` ${code} ${text}`);
  });

  it.each([
    [[], 0], [["refused"], 3], [["refused", "refused"], 3], [["network"], 4], [["digest"], 5], [["local", "changed"], 6], [["server"], 7],
    [["server", "network"], 1], [["server", "aborted"], 130],
  ] as const)("ends with one code for failures %j: %d", (kinds, code) => expect(exitCodeOf(kinds)).toBe(code));
});

describe("completion", () => {
  it("is bash, and completes commands, options and their words", () => {
    const script = completionScript("bash");
    execFileSync("bash", ["-n"], { input: script });
    const complete = (...words: string[]): string[] => {
      const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _slipway; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync("bash", ["-c", `${script}\n${ask}`], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim().split("\n");
    };
    expect(complete("slipway", "p")).toEqual(["push"]);
    expect(complete("slipway", "completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(complete("slipway", "push", "--write")).toEqual(["--write-manifest"]);
    expect(complete("slipway", "push", "--streams", "a")).toEqual(["auto"]);
    expect(complete("slipway", "push", "--name", "a")).toEqual([""]);
    expect(complete("slipway", "push", "--")).toHaveLength(optionRows.length);
  });

  it.skipIf(!has("zsh"))("is zsh", () => expect(execaSync("zsh", ["-n"], { input: completionScript("zsh"), reject: false }).stderr).toBe(""));
  // fish 3.6 reads no program from a socket, which is what Node gives.
  it.skipIf(!has("fish"))("is fish", () => expect(execaSync("sh", ["-c", "cat | fish -n"], { input: completionScript("fish"), reject: false }).stderr).toBe(""));

  it.each(["zsh", "fish"] as const)("names every option in %s", (shell) => {
    const script = completionScript(shell);
    for (const [name] of optionRows) expect(script).toMatch(new RegExp(shell === "fish" ? `-l ${name}( |$)` : `--${name}\\[`, "m"));
  });
});
