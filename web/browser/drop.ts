/** Drag and drop. Files may be dropped anywhere on the page: beside the zone the browser would open them instead. */

/** A file, and the folder that it was found in, as in `photos/2026`; empty for a file by itself. */
export interface Found {
  readonly file: File;
  readonly folder: string;
}

/** What was dropped or chosen. */
export interface Dropped {
  readonly files: readonly Found[];
  /** Paths of folders and files that could not be read. */
  readonly unreadable: readonly string[];
}

/** Files that a picker gave; those of a folder's picker know their path. */
export function foundIn(files: Iterable<File>): Dropped {
  const found = [...files].map((file) => ({ file, folder: file.webkitRelativePath.split("/").slice(0, -1).join("/") }));
  return { files: found, unreadable: [] };
}

/** A folder's entries: browsers give a hundred at a time, and an empty list at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    // The file system's own order means nothing to a reader.
    if (some.length === 0) return all.sort((a, b) => a.name.localeCompare(b.name));
    all.push(...some);
  }
}

async function walk(entry: FileSystemEntry, folder: string, files: Found[], unreadable: string[]): Promise<void> {
  const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
  try {
    if (entry.isDirectory) {
      for (const child of await entriesOf(entry as FileSystemDirectoryEntry)) await walk(child, path, files, unreadable);
      return;
    }
    files.push({ file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)), folder });
  } catch {
    unreadable.push(path);
  }
}

/** What a drop holds. The entries must be taken before the first wait: the browser clears them with the event. */
async function collect(transfer: DataTransfer): Promise<Dropped> {
  const files: Found[] = [];
  const unreadable: string[] = [];
  const roots: FileSystemEntry[] = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry?.isDirectory === true) roots.push(entry);
    else if (file !== null) files.push({ file, folder: "" });
  }
  for (const root of roots) await walk(root, "", files, unreadable);
  return { files, unreadable };
}

function hasFiles(event: DragEvent): event is DragEvent & { readonly dataTransfer: DataTransfer } {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Calls back with what is dropped; the zone has the class `is-over` while files are held over the page. */
export function acceptDrops(zone: Element, onDrop: (dropped: Dropped) => void): void {
  // Entering a child comes before leaving its parent, so only a count knows when the pointer left the page.
  let depth = 0;
  const show = (): void => {
    zone.classList.toggle("is-over", depth > 0);
  };
  document.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    show();
  });
  document.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    show();
  });
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  const end = (): void => {
    if (depth === 0) return;
    depth = 0;
    show();
  };
  // No pointer moves while something is dragged: if one does, the drag was given up without a word.
  document.addEventListener("pointermove", end);
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    end();
    void collect(event.dataTransfer).then(onDrop);
  });
}
