/** SHA256SUMS files, as sha256sum writes and checks them. */

/** One line. */
export interface Listed {
  /** As it is written in the file: relative paths count from where the command runs. */
  readonly path: string;
  /** Hex, small letters. */
  readonly sha256: string;
}

/** A line that is none of a manifest. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

const unescaped: Readonly<Record<string, string>> = { "\\\\": "\\", "\\n": "\n", "\\r": "\r" };

/**
 * Reads the lines of a manifest: `<64 hex digits>`, a space, a space or `*`, the path. A line that begins with `\`
 * has newlines and backslashes of the path written as `\n` and `\\` (GNU coreutils). Empty lines and comments are left out.
 * @throws {ManifestError}
 */
export function parseManifest(text: string): readonly Listed[] {
  const listed = new Map<string, string>();
  for (const [index, line] of text.replace(/^\uFEFF/, "").split(/\r?\n/).entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const match = /^(\\?)([0-9a-f]{64}) [ *](.+)$/i.exec(line);
    if (match === null) throw new ManifestError(`line ${index + 1}: not a line of sha256sum, got ${JSON.stringify(line.slice(0, 80))}; write "<64 hex digits>  <path>"`);
    const [, escaped, sum = "", written = ""] = match;
    const path = escaped === "" ? written : written.replace(/\\[\\nr]/g, (pair) => unescaped[pair] ?? pair);
    const sha256 = sum.toLowerCase();
    if ((listed.get(path) ?? sha256) !== sha256) throw new ManifestError(`line ${index + 1}: ${JSON.stringify(path)} has another digest than above; keep one of the lines`);
    listed.set(path, sha256);
  }
  return [...listed].map(([path, sha256]) => ({ path, sha256 }));
}

/** A manifest that `sha256sum -c` takes. */
export function manifestText(files: readonly Listed[]): string {
  return files
    .map(({ path, sha256 }) => {
      const written = path.replace(/[\\\n\r]/g, (character) => ({ "\\": "\\\\", "\n": "\\n", "\r": "\\r" })[character] ?? character);
      return `${written === path ? "" : "\\"}${sha256}  ${written}\n`;
    })
    .join("");
}
