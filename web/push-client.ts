/** The push client as one file that a plain Node runs, for people who have nothing of ours. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { PUSH_CLIENT } from "./frame.ts";

const pathTo = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * Bundles the client; nothing but Node's own modules is left outside. Readable, as people are asked to run it. The same
 * sources give the same bytes.
 * @throws esbuild's errors when a source does not compile.
 */
export async function buildPushClient(): Promise<Buffer> {
  const { version } = JSON.parse(await readFile(pathTo("package.json"), "utf8")) as { version: string };
  const result = await build({
    entryPoints: [pathTo("client/program.ts")],
    absWorkingDir: pathTo("."),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    charset: "utf8",
    banner: { js: `#!/usr/bin/env node\n// Slipway's push client, version ${version}: node ${PUSH_CLIENT} push --help` },
    define: { SLIPWAY_VERSION: JSON.stringify(version) },
    write: false,
    logLevel: "silent",
  });
  const output = result.outputFiles[0];
  if (output === undefined) throw new Error("client/program.ts: esbuild gave no output");
  return Buffer.from(output.contents);
}
