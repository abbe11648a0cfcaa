import { access, constants, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";

/** A file to send. */
export interface PlannedFile {
  /** As the user wrote it. */
  readonly argument: string;
  readonly path: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** A path that cannot be sent, and why. */
export interface Unreadable {
  readonly argument: string;
  readonly why: string;
}

export interface Plan {
  readonly files: readonly PlannedFile[];
  readonly unreadable: readonly Unreadable[];
}

/** Looks at every file before the first is sent, so that a wrong path is known at once. */
export async function planFiles(args: readonly string[], folder: string): Promise<Plan> {
  const files: PlannedFile[] = [];
  const unreadable: Unreadable[] = [];
  for (const argument of args) {
    const path = resolve(folder, argument);
    try {
      const about = await stat(path);
      if (about.isDirectory()) unreadable.push({ argument, why: "is a folder; name the files in it" });
      else if (!about.isFile()) unreadable.push({ argument, why: "is not a regular file; copy it to one first" });
      else {
        await access(path, constants.R_OK);
        files.push({ argument, path, name: basename(path), size: about.size });
      }
    } catch (error) {
      unreadable.push({ argument, why: reason(error as NodeJS.ErrnoException) });
    }
  }
  return { files, unreadable };
}

function reason(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "does not exist";
  if (error.code === "EACCES") return "may not be read by this user";
  return `cannot be read (${error.code ?? error.message})`;
}
