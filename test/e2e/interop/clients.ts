/** Clients of others, from npm and PyPI, in the user's cache folder: the versions that package.json and requirements.txt pin. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { execa } from "execa";
import { pinnedPackages } from "../../helpers/e2e-python.ts";

const here = import.meta.dirname;
const files = ["package.json", "package-lock.json", "tus-upload.mjs"];

/** The clients from PyPI, as a folder for PYTHONPATH. */
export const pythonClients = (): Promise<string> => pinnedPackages("interop", join(here, "requirements.txt"));

/** A folder with the clients from npm and tus-upload.mjs; an installation that was cut off is never taken for a whole one. */
export async function nodeClients(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(here, file)));
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "slipway", "test-interop");
  const folder = join(cache, hash.digest("hex").slice(0, 12));
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    for (const file of files) cpSync(join(here, file), join(unfinished, file));
    await execa("npm", ["ci", "--omit=optional", "--no-audit", "--no-fund"], { cwd: unfinished });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Why clients of others cannot be had here, or undefined when they can; where CI is set they must be. */
export async function withoutClients(install: () => Promise<string>): Promise<string | undefined> {
  if (process.env["CI"] === "true") return undefined;
  return install().then(
    () => undefined,
    (error: Error) => `the clients cannot be installed: ${error.message.split("\n")[0]}`,
  );
}

const input = '<!DOCTYPE html><meta charset="utf-8"><title>client</title><input type="file" id="file">';

/** A page whose only script is made of a program and what it imports. */
async function page(folder: string, program: string): Promise<string> {
  const { outputFiles } = await build({ stdin: { contents: program, resolveDir: folder }, bundle: true, write: false, format: "iife" });
  return `${input}<script>${(outputFiles[0]?.text ?? "").replaceAll("</script", "<\\/script")}</script>`;
}

/** A page with Uppy that uploads what is chosen; `result` is what became of it. */
export const uppyPage = (folder: string, endpoint: string): Promise<string> =>
  page(
    folder,
    `import Uppy from "@uppy/core";
     import Tus from "@uppy/tus";
     const uppy = new Uppy({ autoProceed: true }).use(Tus, { endpoint: ${JSON.stringify(endpoint)} });
     uppy.on("complete", ({ successful, failed }) => { globalThis.result = failed.length === 0 && successful.length === 1 ? "whole" : "failed"; });
     document.querySelector("#file").addEventListener("change", ({ target }) => { for (const file of target.files) uppy.addFile({ name: file.name, type: file.type, data: file }); });`,
  );

/**
 * A page with jQuery File Upload, in pieces of 4 MiB. Of its options, multipart must be false, and a header must name
 * the session, the same for the same file: then the answers' Range says where it goes on.
 * @param retries how often a piece that failed is sent again; then `result` is "failed"
 */
export const blueimpPage = (folder: string, retries: number): Promise<string> =>
  page(
    folder,
    `import jQuery from "jquery";
     import "blueimp-file-upload";
     let retries = ${retries};
     jQuery("#file").fileupload({
       url: "/upload", type: "POST", dataType: "text", multipart: false, maxChunkSize: 4 * 1024 * 1024,
       add(event, data) {
         const { name, size, lastModified } = data.files[0];
         data.headers = { "Session-ID": [name, size, lastModified].join("-").replace(/[^A-Za-z0-9_-]/g, "_") };
         data.submit();
       },
       done() { globalThis.result = "whole"; },
       fail(event, data) {
         if (retries-- <= 0) { globalThis.result = "failed"; return; }
         setTimeout(() => { data.data = null; data.submit(); }, 200);
       },
     });`,
  );
