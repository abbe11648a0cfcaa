/** The files that the pages ask for, bundled. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { buildPushClient, PUSH_CLIENT } from "./push-client.ts";
import { BASE_CSS } from "./style/base.ts";

/** One file below `/assets/`. */
export interface Asset {
  /** Content-Type. */
  readonly type: string;
  readonly body: Buffer;
}

/** Browsers from the end of 2023 on: the style sheet uses `:has()`. */
const TARGET = ["chrome111", "firefox121", "safari16.4"];

function pathTo(name: string): string {
  return fileURLToPath(new URL(`./browser/${name}`, import.meta.url));
}

async function buildScript(source: string): Promise<Buffer> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(`../${source}`, import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: TARGET,
    charset: "utf8",
    legalComments: "none",
    write: false,
    logLevel: "silent",
  });
  const output = result.outputFiles[0];
  if (output === undefined) throw new Error(`${source}: esbuild gave no output`);
  return Buffer.from(output.contents);
}

async function buildStyle(): Promise<Buffer> {
  const source = BASE_CSS + (await readFile(pathTo("app.css"), "utf8"));
  const { code } = await transform(source, { loader: "css", minify: true, target: TARGET });
  return Buffer.from(code);
}

/**
 * Bundles the scripts and the push client, joins the style sheets and reads the icon. The same sources give the same
 * bytes. Needs the source tree, so an image calls it while it is built and keeps the result.
 * @returns Name below `/assets/` -> file.
 * @throws esbuild's errors when a source does not compile.
 */
export async function buildAssets(): Promise<Map<string, Asset>> {
  const [script, worker, style, icon, push] = await Promise.all([
    buildScript("web/browser/main.ts"), buildScript("web/browser/hash-worker.ts"), buildStyle(), readFile(pathTo("favicon.svg")), buildPushClient(),
  ]);
  return new Map([
    ["upload.js", { type: "text/javascript; charset=utf-8", body: script }],
    ["hash.js", { type: "text/javascript; charset=utf-8", body: worker }],
    ["app.css", { type: "text/css; charset=utf-8", body: style }],
    ["favicon.svg", { type: "image/svg+xml", body: icon }],
    [PUSH_CLIENT, { type: "text/javascript; charset=utf-8", body: push }],
  ]);
}
