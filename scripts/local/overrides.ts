import type { SiteProps } from "../../stacks/props.ts";
import { Problem } from "../core/problem.ts";

/**
 * The props with some of them replaced, as `--set upload.maxFileSize=20g` says: a dotted path and a value, which is
 * JSON where it can be read as such and text otherwise (`--set upload.maxFileSize='"0"'` is text). Whether the path and value are right is for the settings' check.
 * @throws Problem naming every argument that has no `=`
 */
export function withOverrides(site: SiteProps, sets: readonly string[]): SiteProps {
  const wrong = sets.filter((set) => !/^[A-Za-z][\w.]*=/.test(set));
  if (wrong.length > 0) throw new Problem(wrong.map((set) => `--set: not a setting and a value, got ${JSON.stringify(set)}; write upload.maxFileSize=20g`));
  return sets.reduce<SiteProps>((props, set) => {
    const at = set.indexOf("=");
    return replaced(props, set.slice(0, at).split("."), parse(set.slice(at + 1))) as SiteProps;
  }, site);
}

function replaced(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return replacement;
  const object = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  return { ...object, [key]: replaced((object as Readonly<Record<string, unknown>>)[key], rest, replacement) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
