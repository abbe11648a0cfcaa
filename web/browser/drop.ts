/** Drag and drop. Files may be dropped anywhere on the page: beside the zone the browser would open them instead. */

/** What was dropped. */
export interface Dropped {
  readonly files: readonly File[];
  /** Names of folders, which have no bytes to send. */
  readonly folders: readonly string[];
}

function sort(transfer: DataTransfer): Dropped {
  const files: File[] = [];
  const folders: string[] = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry?.isDirectory === true) folders.push(entry.name);
    else if (file !== null) files.push(file);
  }
  return { files, folders };
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
    onDrop(sort(event.dataTransfer));
  });
}
