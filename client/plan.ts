/** What will be sent: looked at before the first byte is, so that a wrong path is known at once. */
import { access, constants, stat } from "node:fs/promises";
import { basename, normalize, resolve } from "node:path";
import { matcher } from "./glob.ts";
import type { Listed } from "./manifest.ts";
import { reason } from "./send/local-file.ts";
import { walk } from "./walk.ts";

/** A file to send. */
export interface PlannedFile {
  /** As the user wrote it, or below the folder that was. */
  readonly argument: string;
  readonly path: string;
  /** With the folders below the one that is sent, `/` between them. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Hex; the site is told and refuses other bytes. @default none is announced */
  readonly sha256?: string;
}

/** A path that is not sent, and why. */
export interface Left {
  readonly argument: string;
  readonly why: string;
}

export interface Plan {
  readonly files: readonly PlannedFile[];
  /** What should be sent and cannot be read. */
  readonly unreadable: readonly Left[];
  /** What is no file and no folder: links, pipes, sockets, devices in a folder. */
  readonly skipped: readonly Left[];
}

export interface PlanOptions {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Digests to announce. @default none */
  readonly manifest?: readonly Listed[] | undefined;
}

/** Which paths are wanted. */
export interface Filter {
  readonly file: (path: string) => boolean;
  readonly folder: (path: string) => boolean;
}

function filterOf({ include, exclude }: PlanOptions): Filter {
  const included = matcher(include);
  const excluded = matcher(exclude);
  return {
    file: (path) => !excluded(path) && (include.length === 0 || included(path)),
    folder: (path) => !excluded(path, true),
  };
}

/** Growing lists of a plan. */
export interface Drawn {
  readonly files: PlannedFile[];
  readonly unreadable: Left[];
  readonly skipped: Left[];
}

/**
 * Looks at every file, and into every folder. A path that the user wrote is followed when it is a link; links in a
 * folder are not.
 * @param folder what relative paths count from
 */
export async function planFiles(args: readonly string[], folder: string, options: PlanOptions = { include: [], exclude: [] }): Promise<Plan> {
  const drawn: Drawn = { files: [], unreadable: [], skipped: [] };
  const filter = filterOf(options);
  const { manifest } = options;
  const given = args.length === 0 && manifest !== undefined ? manifest.map(({ path }) => path) : args;
  for (const argument of given) await look(argument, { folder, filter, keepsFolders: given !== args }, drawn);
  if (manifest === undefined) return drawn;
  const digests = new Map(manifest.map(({ path, sha256 }) => [resolve(folder, path), sha256]));
  const announced = drawn.files.map((file) => {
    const sha256 = digests.get(file.path);
    return sha256 === undefined ? file : { ...file, sha256 };
  });
  return { ...drawn, files: announced };
}

interface Around {
  readonly folder: string;
  readonly filter: Filter;
  /** Whether the folders that are written with a file's name are sent with it, as those of a manifest. */
  readonly keepsFolders: boolean;
}

async function look(argument: string, { folder, filter, keepsFolders }: Around, drawn: Drawn): Promise<void> {
  const path = resolve(folder, argument);
  try {
    const about = await stat(path);
    if (about.isDirectory()) {
      // As rsync has it: a slash at the end means what is in the folder, without the folder.
      const inside = /(^|\/)\.{0,2}\/*$/.test(argument) || argument.endsWith("/");
      await walk({ path, shown: argument.replace(/\/+$/, "") || "/", name: inside ? "" : basename(path), below: "" }, filter, drawn);
      return;
    }
    if (!about.isFile()) {
      drawn.unreadable.push({ argument, why: "is not a regular file; pipe it in with --name NAME - instead" });
      return;
    }
    const name = keepsFolders ? nameWithFolders(argument) : basename(path);
    if (!filter.file(keepsFolders ? name : basename(path))) return;
    await access(path, constants.R_OK);
    drawn.files.push({ argument, path, name, size: about.size });
  } catch (error) {
    drawn.unreadable.push({ argument, why: reason(error as NodeJS.ErrnoException) });
  }
}

/** A relative path as it is written; what leads out of the folder has only its last part for a name. */
function nameWithFolders(path: string): string {
  const plain = normalize(path);
  return plain.startsWith("/") || plain.startsWith("..") ? basename(plain) : plain;
}
