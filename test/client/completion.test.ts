import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { completionScript, type Shell, shells } from "../../client/completion.ts";
import { optionRows } from "../../client/options.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-completion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (program: string, args: readonly string[]): string => execaSync(program, args, { cwd: folder, timeout: 20_000, stdin: "ignore" }).stdout;

/** Its own words for the candidates: bash has no other way than to call the function. */
function inBash(file: string, words: readonly string[]): string[] {
  const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _slipway; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run("bash", ["-c", `source ${file}\n${ask}`]).trim().split("\n");
}

/** What fish would offer, without the descriptions. */
const inFish = (file: string, words: readonly string[]): string[] =>
  run("fish", ["--no-config", "-c", `source ${file}; complete -C '${words.join(" ")}'`]).split("\n").map((line) => line.split("\t")[0]!);

/** zsh completes in its line editor alone: one is given a terminal, the words and a tab, and a key that shows the line. */
const TYPE = String.raw`zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; autoload -U compinit; compinit -D -u; source $1; shown() { print -r -- \"<<\$BUFFER>>\" }; zle -N shown; bindkey '^Xs' shown; print ready\$((1+1))"
while zpty -r z line; do [[ $line == *ready2* ]] && break; done
zpty -w -n z "$2"$'\t'$'\C-Xs'
zpty -r z line '*>>*'
print -r -- "$line"
zpty -d z`;

function inZsh(file: string, words: readonly string[]): string[] {
  const line = /<<(.*)>>/s.exec(run("zsh", ["-f", "-c", TYPE, "zsh", file, words.join(" ")]))?.[1] ?? "";
  return [line.trimEnd().split(" ").at(-1)!];
}

const asked: Readonly<Record<Shell, (file: string, words: readonly string[]) => string[]>> = { bash: inBash, zsh: inZsh, fish: inFish };

describe.each(shells)("completion in %s", (shell) => {
  const missing = execaSync("which", [shell], { reject: false }).exitCode !== 0;
  const file = join(folder, shell);
  writeFileSync(file, completionScript(shell));

  it.skipIf(missing).each([
    [["slipway", "pu"], "push"],
    [["slipway", "completion", "z"], "zsh"],
    [["slipway", "push", "--write"], "--write-manifest"],
    [["slipway", "push", "--streams", "a"], "auto"],
    [["slipway", "push", "--cacert", join(folder, "fis")], join(folder, "fish")],
    [["slipway", "push", join(folder, "fis")], join(folder, "fish")],
  ])(`completes %j${missing ? ` (SKIPPED: no ${shell} here; npm run setup -- --tests installs it)` : ""}`, (words, expected) => {
    expect(asked[shell](file, words)).toEqual([expected]);
  });
});

describe("completion", () => {
  it("offers every option, and nothing where a word is free", () => {
    const file = join(folder, "bash");
    expect(inBash(file, ["slipway", "push", "--"])).toHaveLength(optionRows.length);
    expect(inBash(file, ["slipway", "completion", ""])).toEqual([...shells]);
    expect(inBash(file, ["slipway", "push", "--name", "a"])).toEqual([""]);
  });

  it.each(["zsh", "fish"] as const)("names every option in %s", (shell) => {
    const script = completionScript(shell);
    for (const [name] of optionRows) expect(script).toMatch(new RegExp(shell === "fish" ? `-l ${name}( |$)` : `--${name}\\[`, "m"));
  });
});
