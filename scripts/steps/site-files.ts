import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Who must be able to read the secrets and keys. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Paths of a site's secrets (docs/internals/contracts.md, section 6). */
export interface SecretFiles {
  /** The shared secret of nginx and the service, hex. */
  readonly secret: string;
  /** The same as an nginx `set`. */
  readonly nginxSecret: string;
}

export const secretFiles = (folder: string): SecretFiles => ({
  secret: join(folder, "secrets", "secret"),
  nginxSecret: join(folder, "secrets", "nginx-secret.conf"),
});

/**
 * Makes the secrets that are missing, with exact owners and modes.
 * @returns whether anything was made
 */
export async function ensureSecrets(folder: string, owner: Owner): Promise<boolean> {
  const files = secretFiles(folder);
  await privateFolder(folder);
  await readableFolder(join(folder, "secrets"), owner);
  const old = await readFile(files.secret, "utf8").then((text) => text.trim(), () => undefined);
  const secret = old !== undefined && /^[0-9a-f]{64}$/.test(old) ? old : randomBytes(32).toString("hex");
  const line = `set $slipway_secret "${secret}";\n`;
  const settled = secret === old && (await readFile(files.nginxSecret, "utf8").catch(() => "")) === line;
  if (!settled) {
    await writeSecret(files.secret, `${secret}\n`, owner);
    await writeSecret(files.nginxSecret, line, owner);
  }
  await own(files.secret, owner, 0o440);
  await own(files.nginxSecret, owner, 0o440);
  return !settled;
}

/** A folder that only this user may enter. */
export async function privateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/** A folder inside a private one, for files that the site's user reads. */
export async function readableFolder(path: string, owner: Owner): Promise<void> {
  await mkdir(path, { recursive: true });
  await own(path, owner, 0o750);
}

export async function writeSecret(path: string, text: string, owner: Owner): Promise<void> {
  // A file that is there may be read-only; its new content must never be readable in between.
  await chmod(path, 0o600).catch(() => undefined);
  await writeFile(path, text, { mode: 0o600 });
  await own(path, owner, 0o440);
}

/**
 * Gives a file its owner and mode. A user who is not root cannot give files away: the owner's right to read
 * then goes to everybody, inside a folder (0700) that only this user can enter.
 */
export async function own(path: string, owner: Owner, mode: number): Promise<void> {
  const now = await stat(path);
  const owned = now.uid === owner.uid && now.gid === owner.gid;
  const isRoot = process.getuid?.() === 0;
  if (!owned && isRoot) await chown(path, owner.uid, owner.gid);
  await chmod(path, owned || isRoot ? mode : mode | ((mode >> 6) & 0o5));
}
