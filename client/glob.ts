/** Which files --include and --exclude mean. */

/** One part of a pattern as a regular expression. */
function translated(glob: string): string {
  return glob.replace(/\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|[^]/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1) return part.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    return part.replace(/[.+^${}()|\\[\]]/, "\\$&");
  });
}

/**
 * Whether a path, or a folder that it lies in, matches one of the patterns. A pattern with a slash in it is held
 * against the path, another one against each name in it; a slash at its end means folders alone.
 * @param globs `*`, `?` and `[a-z]` stay within a name, `**` goes over folders
 * @returns takes a path with `/` between its parts, below the folder that is sent
 */
export function matcher(globs: readonly string[]): (path: string, isFolder?: boolean) => boolean {
  const patterns = globs.map((glob) => {
    const bare = glob.replace(/\/+$/, "");
    const anchored = bare.includes("/");
    return { anchored, foldersOnly: bare !== glob, regexp: new RegExp(`^${translated(bare.replace(/^\.?\/+/, ""))}$`, "u") };
  });
  return (path, isFolder = false) => {
    const parts = path.split("/");
    return parts.some((name, index) => {
      const isInner = index < parts.length - 1 || isFolder;
      const upTo = parts.slice(0, index + 1).join("/");
      return patterns.some(({ anchored, foldersOnly, regexp }) => (isInner || !foldersOnly) && regexp.test(anchored ? upTo : name));
    });
  };
}
