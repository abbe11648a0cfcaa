import type { SiteSettings } from "../../stacks/settings.ts";
import type { Machine } from "../core/machine.ts";
import type { SiteStatus } from "../deploy/status.ts";

/** What a check came to. */
export type Finding =
  | { readonly level: "ok"; readonly found: string }
  | { readonly level: "warn" | "fail"; readonly found: string; /** Why it matters, or what is likely behind it. */ readonly cause: string; /** What to do. */ readonly fix: string };

export interface Subject {
  readonly machine: Machine;
  readonly settings: SiteSettings;
  readonly status: SiteStatus;
}

/** One thing that may be wrong with the host or the site. */
export interface Check {
  readonly name: string;
  readonly run: (subject: Subject) => Promise<Finding>;
}

export const ok = (found: string): Finding => ({ level: "ok", found });
export const warn = (found: string, cause: string, fix: string): Finding => ({ level: "warn", found, cause, fix });
export const fail = (found: string, cause: string, fix: string): Finding => ({ level: "fail", found, cause, fix });

/** A finding as it is printed: one line, and for what is not well two more. */
export function formatFinding(name: string, finding: Finding): string {
  const head = `${(finding.level === "fail" ? "FAIL" : finding.level).padEnd(5)} ${name.padEnd(14)} ${finding.found}`;
  return finding.level === "ok" ? head : `${head}\n      cause: ${finding.cause}\n      do:    ${finding.fix}`;
}
