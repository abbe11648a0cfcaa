import { chmodSync, constants, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fingerprint } from "./fingerprint.ts";
import type { ContextFile, ContextInputs } from "./fingerprint.ts";

/** A build context with its identity. */
export interface BuildContext extends ContextInputs {
  /** See {@link fingerprint}; 64 hex digits. */
  readonly fingerprint: string;
}

/**
 * Names that every build is told, `name:address`. The containers know the host's name, a build does
 * not, and nginx refuses a configuration with a name that it cannot look up.
 */
export const BUILD_HOSTS: readonly string[] = ["host.docker.internal:127.0.0.1"];

/** Fixes the inputs of an image and names them by their content. */
export function buildContext(inputs: ContextInputs): BuildContext {
  return { ...inputs, fingerprint: fingerprint(inputs) };
}

/** Writes the context's files into `folder`, which then holds them and nothing else. */
export function stageContext(folder: string, context: BuildContext): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of context.files) stageFile(join(folder, file.path), file);
}

function stageFile(target: string, file: ContextFile): void {
  mkdirSync(dirname(target), { recursive: true });
  if (typeof file.content === "string") copyFileSync(file.content, target, constants.COPYFILE_FICLONE);
  else writeFileSync(target, file.content);
  chmodSync(target, file.mode);
}
