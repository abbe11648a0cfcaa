/** Completion scripts, made from the table of options. */
import { type Option, optionRows } from "./options.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

const commands = ["push", "completion"] as const;

/** Within single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const withFiles = optionRows.filter(([, { offers }]) => offers === "files").map(([name]) => `--${name}`);
const withNothing = optionRows.filter(([, { value, offers }]) => value !== undefined && offers === undefined).map(([name]) => `--${name}`);
const withWords = optionRows.filter(([, { offers }]) => offers !== undefined && offers !== "files");
const wordsOf = ({ offers }: Option): string => (offers === undefined || offers === "files" ? "" : offers.join(" "));

function bash(): string {
  const cases = withWords.map(([name, row]) => `    --${name}) COMPREPLY=($(compgen -W '${wordsOf(row)}' -- "$word")); return ;;`);
  return `# bash completion of slipway; read it with: source <(slipway completion bash)
_slipway() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.join(" ")} --help' -- "$word"))
    return
  fi
  if [ "\${COMP_WORDS[1]}" = completion ]; then
    COMPREPLY=($(compgen -W '${shells.join(" ")}' -- "$word"))
    return
  fi
  case $before in
${cases.join("\n")}
    ${withNothing.join("|")}) return ;;
    ${withFiles.join("|")}) compopt -o filenames; COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W '${optionRows.map(([name]) => `--${name}`).join(" ")}' -- "$word")) ;;
    *) compopt -o filenames; COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -F _slipway slipway
`;
}

/** In a description of zsh's _arguments, brackets and colons have a meaning. */
const zshText = (text: string): string => text.replace(/[[\]:\\]/g, "\\$&");

function zshSpec([name, row]: readonly [string, Option]): string {
  const { value, repeatable, offers, help } = row;
  const action = offers === "files" ? "_files" : offers === undefined ? "" : `(${wordsOf(row)})`;
  return quoted(`${repeatable === true ? "*" : ""}--${name}[${zshText(help)}]${value === undefined ? "" : `:${value}:${action}`}`);
}

function zsh(): string {
  return `#compdef slipway
# zsh completion of slipway; put it into a folder of $fpath as _slipway, or: source <(slipway completion zsh)
_slipway() {
  if (( CURRENT == 2 )); then
    compadd -- ${commands.join(" ")} --help
    return
  fi
  if [[ \${words[2]} == completion ]]; then
    compadd -- ${shells.join(" ")}
    return
  fi
  shift words
  (( CURRENT-- ))
  _arguments -s \\
${optionRows.map((row) => `    ${zshSpec(row)} \\`).join("\n")}
    '*:file:_files'
}
if [[ \${funcstack[1]} == _slipway ]]; then _slipway "$@"; else compdef _slipway slipway; fi
`;
}

/** Within fish's single quotes only \\ and ' are written otherwise. */
const fishQuoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;

function fishLine([name, row]: readonly [string, Option]): string {
  const { short, value, offers, help } = row;
  const takes = value === undefined ? "" : offers === "files" ? " -r -F" : offers === undefined ? " -x" : ` -x -a ${fishQuoted(wordsOf(row))}`;
  return `complete -c slipway -n '__fish_seen_subcommand_from push' -l ${name}${short === undefined ? "" : ` -s ${short}`}${takes} -d ${fishQuoted(help)}`;
}

function fish(): string {
  return `# fish completion of slipway; read it with: slipway completion fish | source
complete -c slipway -n __fish_use_subcommand -f -a '${commands.join(" ")}'
complete -c slipway -n '__fish_seen_subcommand_from completion' -f -a '${shells.join(" ")}'
${optionRows.map(fishLine).join("\n")}
`;
}

const scripts: Readonly<Record<Shell, () => string>> = { bash, zsh, fish };

/** The script that completes `slipway` in a shell. */
export const completionScript = (shell: Shell): string => scripts[shell]();
