import { existsSync } from "node:fs";
import { join } from "node:path";
import { siteFolder } from "../../stacks/site-folder.ts";
import type { Argv } from "../core/run.ts";
import { checkout } from "../core/paths.ts";

const cdktf = join(checkout, "node_modules", ".bin", "cdktf");

/** Environment of every cdktf and terraform run: no phoning home, no questions. */
export function terraformEnvironment(binary: string): Readonly<Record<string, string>> {
  const configFile = process.env["TF_CLI_CONFIG_FILE"];
  return {
    TERRAFORM_BINARY_NAME: binary,
    CHECKPOINT_DISABLE: "1",
    DISABLE_VERSION_CHECK: "1",
    SEND_CRASH_REPORTS: "false",
    CI: "1",
    FORCE_COLOR: "0",
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    // Terraform warns at every step of a configuration file that is named but missing.
    ...(configFile !== undefined && !existsSync(configFile) ? { TF_CLI_CONFIG_FILE: "" } : {}),
  };
}

const OPTIONS = ["--auto-approve", "--skip-provider-lock", "--no-color"] as const;
const into = (folder: string | undefined): readonly string[] => (folder === undefined ? [] : ["--output", folder]);

/**
 * Deploys; without the lock file's check, which would ask the registry.
 * @param folder where the stack is synthesised; default: cdktf's own, which every site of the checkout shares
 */
export const deploy = (folder?: string): Argv => [cdktf, "deploy", ...OPTIONS, ...into(folder)];

/** Removes what was deployed; see {@link deploy}. */
export const destroy = (folder?: string): Argv => [cdktf, "destroy", ...OPTIONS, ...into(folder)];

/** Where the commands synthesise a site: a folder of its own, so that two sites can be deployed at the same time. */
export const synthFolder = (siteName: string): string => join(siteFolder(siteName), "cdktf.out");

/** What a deploy did, as terraform counts it. */
export interface Applied {
  readonly added: number;
  readonly changed: number;
  readonly destroyed: number;
}

/** The closing line of an apply in cdktf's output; `undefined` when there is none. */
export function appliedOf(output: string): Applied | undefined {
  const last = [...output.matchAll(/Apply complete! Resources: (?:\d+ imported, )?(\d+) added, (\d+) changed, (\d+) destroyed/g)].at(-1);
  if (last !== undefined) return { added: Number(last[1]), changed: Number(last[2]), destroyed: Number(last[3]) };
  return /No changes\./.test(output) ? { added: 0, changed: 0, destroyed: 0 } : undefined;
}

const CONTINUED = /^\s{4,}(?!Error: )\S|^\s*$/;

/**
 * The part of a failed run that says why: every distinct error of terraform, which begins with "Error:" and goes on
 * in indented lines; else the last lines. Without a terminal cdktf puts the stack's name in front of a block.
 */
export function errorOf(output: string): string {
  const lines = output.split("\n").map((line) => line.replace(/\u001b\[[0-9;]*m/g, "").replace(/[│╷╵]/g, " "));
  const errors: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const start = /^\s*(?:\S+\s{2})?\s*(Error: .*)$/.exec(lines[i]!);
    if (start === null) continue;
    const rest = lines.slice(i + 1);
    const end = rest.findIndex((line) => !CONTINUED.test(line));
    const more = rest.slice(0, end < 0 ? undefined : end).map((line) => line.trim()).filter((line) => line !== "" && !isPosition(line));
    errors.push([start[1]!, ...more].join("\n"));
  }
  if (errors.length > 0) return [...new Set(errors)].join("\n");
  return lines.filter((line) => line.trim() !== "").slice(-25).join("\n");
}

/** Lines that point into the generated JSON, which nobody edits. */
const isPosition = (line: string): boolean => /^(?:on cdk\.tf\.json|with docker_|\d+: )/.test(line);

/** What a line of cdktf's output tells about the progress of an apply, "still" every half minute; `undefined` for all others. */
export function progressOf(line: string): string | undefined {
  const plain = line.replace(/\u001b\[[0-9;]*m/g, "").trim();
  const match = /(docker_[\w.-]+.*?): ((?:Creating|Modifying|Destroying)\.\.\.|(?:Creation|Modifications|Destruction) complete after \S+|Still \w+\.\.\. \[(?:\d+m)?(?:0|30)s elapsed\])/.exec(plain);
  // cdktf shows the path of the construct behind the address: "docker_image.site_x (site/nginx-image/image)".
  return match === null ? undefined : `${/\(([^)]+)\)$/.exec(match[1]!)?.[1] ?? match[1]}: ${match[2]}`;
}
