import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, copyFile, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorPages } from "../../stacks/nginx/error-pages.ts";
import type { SiteSettings } from "../../stacks/settings.ts";
import type { Run } from "../core/run.ts";
import { certificateNames } from "../core/names.ts";
import { Problem } from "../core/problem.ts";
import { ensureSecrets, own, secretFiles, type Owner } from "../steps/site-files.ts";
import { ensureTls, tlsPaths } from "../steps/tls-files.ts";

/** Where the parts of a local site lie, all below one folder. */
export interface LocalLayout {
  readonly root: string;
  readonly store: string;
  readonly database: string;
  readonly logs: string;
  /** Folder of the bundled service. */
  readonly service: string;
  readonly nginx: { readonly config: string; readonly module: string; readonly pid: string; readonly temp: string; readonly errors: string };
  readonly certificate: string;
  readonly key: string;
  /** CA to trust; `undefined` where clients trust the system's. */
  readonly caFile: string | undefined;
  readonly secret: string;
  readonly nginxSecret: string;
}

export function localLayout(root: string, { tls }: Pick<SiteSettings, "tls">): LocalLayout {
  const nginx = (name: string): string => join(root, "nginx", name);
  const own = tlsPaths(root);
  const secrets = secretFiles(root);
  return {
    root,
    store: join(root, "store"),
    database: join(root, "database", "slipway.db"),
    logs: join(root, "log"),
    service: join(root, "service"),
    nginx: { config: nginx("nginx.conf"), module: nginx("ngx_http_upload_module.so"), pid: nginx("nginx.pid"), temp: nginx("tmp"), errors: nginx("errors") },
    ...(tls.kind === "files"
      ? { certificate: tls.certificate, key: tls.key, caFile: tls.ca ?? undefined }
      : { certificate: own.certificate, key: own.key, caFile: own.ca }),
    secret: secrets.secret,
    nginxSecret: secrets.nginxSecret,
  };
}

/** @throws Problem when the nginx of a site with the same root still runs */
export function checkUnused(layout: LocalLayout): void {
  let pid: number;
  let command: string;
  try {
    pid = Number(readFileSync(layout.nginx.pid, "utf8"));
    command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return;
  }
  if (!command.includes(layout.nginx.config)) return;
  throw new Problem(`${layout.root}: a site runs in this folder already (nginx, process ${pid}). End it with \`npm run down\`, or \`kill -QUIT ${pid}\` where its command is gone, or name another folder.`);
}

/** Makes the folders, secrets and certificates, and copies the module in, all readable by the site's user. */
export async function prepareLayout(run: Run, layout: LocalLayout, settings: SiteSettings, owner: Owner, module: string): Promise<void> {
  await ensureSecrets(layout.root, owner);
  if (settings.tls.kind === "selfSigned") await ensureTls(run, layout.root, settings.name, certificateNames(settings), owner);
  await own(layout.root, owner, 0o700);
  for (const folder of [dirname(layout.database), layout.logs, dirname(layout.nginx.config), layout.nginx.temp, layout.nginx.errors]) {
    await mkdir(folder, { recursive: true });
    await own(folder, owner, 0o750);
  }
  await copyFile(module, `${layout.nginx.module}.new`);
  await chmod(`${layout.nginx.module}.new`, 0o644);
  // Never into the file itself: an nginx that was left over may still have it mapped.
  await rename(`${layout.nginx.module}.new`, layout.nginx.module);
  for (const [name, body] of errorPages()) writeFileSync(join(layout.nginx.errors, name), body);
  prepareStore(layout.store, settings, owner);
}

/** Makes the store's directories that are missing, with exact owner and mode; those that are there are left alone. */
export function prepareStore(store: string, settings: Pick<SiteSettings, "storage">, owner: Owner): void {
  const mode = Number.parseInt(settings.storage.directoryMode, 8);
  for (const path of [store, join(store, "files"), ...hashedDirectories(join(store, "incoming"), settings.storage.hashLevels)]) {
    if (existsSync(path)) continue;
    mkdirSync(path, { recursive: true });
    if (process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid);
    chmodSync(path, mode);
  }
}

/** A folder and all its hashed directories, parents first: a level of n digits has 10^n of them. */
export function hashedDirectories(folder: string, levels: readonly number[]): readonly string[] {
  const [digits, ...rest] = levels;
  if (digits === undefined) return [folder];
  const names = Array.from({ length: 10 ** digits }, (_, i) => String(i).padStart(digits, "0"));
  return [folder, ...names.flatMap((name) => hashedDirectories(join(folder, name), rest))];
}
