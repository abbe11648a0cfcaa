/** The service as one file that a plain Node runs, with what cannot be bundled beside it. */
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { buildAssets } from "../web/assets.ts";

const root = join(import.meta.dirname, "..");

/** Packages that hold, or look for, machine code: they stay as they are. */
const nativePackage = "libsql";

/** Modules from CommonJS packages ask for `require`, which an ES module does not have. */
const requireForBundle = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

interface PackageJson {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

async function readPackage(folder: string): Promise<PackageJson> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageJson;
}

/** The page's files, bundled now, in place of the module that bundles them: esbuild is not there at run time. */
function embedAssets(): Plugin {
  return {
    name: "embed-assets",
    setup({ onLoad }) {
      onLoad({ filter: /\/web\/assets\.ts$/ }, async () => {
        const assets = [...(await buildAssets())].map(([name, { type, body }]) => [name, type, body.toString("base64")]);
        const contents = `
          const assets = ${JSON.stringify(assets)};
          export const buildAssets = async () =>
            new Map(assets.map(([name, type, body]) => [name, { type, body: Buffer.from(body, "base64") }]));`;
        return { contents, loader: "js" };
      });
    },
  };
}

/** Folder of an installed package, as another one finds it. */
function findPackage(name: string, from: string): string {
  return dirname(createRequire(join(from, "package.json")).resolve(`${name}/package.json`));
}

/** Native part of libsql for Debian (glibc) on this machine's processor. */
function nativePart(): string {
  const name = `@libsql/linux-${process.arch}-gnu`;
  try {
    return findPackage(name, join(root, "node_modules", nativePackage));
  } catch (error) {
    throw new Error(`${name}: not installed; run npm ci on Linux with glibc, on the processor that the image is for`, { cause: error });
  }
}

async function copyPackage(name: string, folder: string, outDir: string): Promise<void> {
  await cp(folder, join(outDir, "node_modules", name), { recursive: true, filter: (path) => !/\.(?:md|d\.ts|d\.cts|map)$/.test(path) });
}

/** Copies a package and all that it depends on. */
async function copyWithDependencies(name: string, folder: string, outDir: string): Promise<void> {
  await copyPackage(name, folder, outDir);
  for (const dependency of Object.keys((await readPackage(folder)).dependencies ?? {})) {
    await copyWithDependencies(dependency, join(root, "node_modules", dependency), outDir);
  }
}

/**
 * Writes the service into a folder: `service.mjs`, its package.json, and `node_modules/` with the database's native
 * part. `node service.mjs` runs it there; nothing else of the checkout is needed. The same inputs give the same bytes.
 * @param outDir made when it is not there
 * @throws when a package is missing or the sources do not compile
 */
export async function bundleService(outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true });
  await build({
    entryPoints: [join(root, "app", "main.ts")],
    outfile: join(outDir, "service.mjs"),
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    charset: "utf8",
    banner: { js: requireForBundle },
    external: [nativePackage],
    plugins: [embedAssets()],
    logLevel: "silent",
  });
  const { version } = await readPackage(root);
  await writeFile(join(outDir, "package.json"), `${JSON.stringify({ name: "slipway-service", version, private: true, type: "module" }, null, 2)}\n`);
  await copyWithDependencies(nativePackage, join(root, "node_modules", nativePackage), outDir);
  const native = nativePart();
  await copyPackage(`@libsql/linux-${process.arch}-gnu`, native, outDir);
}
