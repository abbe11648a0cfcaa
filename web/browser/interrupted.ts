/** Uploads that an earlier visit began and did not end: what they wait for, and a way to give them up. */
import { displayName, percentOf } from "../format.ts";
import { FORMAT, ITEM, LIVE } from "./words.ts";
import { announce, byId, create } from "./dom.ts";
import { discard, findInterrupted, fingerprintOf, forget, offsetOf, type Interrupted } from "./send-tus.ts";

/** Most that are shown: each asks the server one question. */
const SHOWN_MAX = 50;

/** The section of the page that lists them; hidden while there are none. */
export class InterruptedList {
  private readonly section = byId("interrupted", HTMLElement);
  private readonly list = byId("interrupted-items", HTMLElement);

  /** Asks the server how far each has come, and lists those that it still has. */
  async show(): Promise<void> {
    for (const upload of (await findInterrupted()).slice(0, SHOWN_MAX)) {
      const offset = await offsetOf(upload).catch(() => 0);
      if (offset === null) await forget(upload);
      else this.list.append(this.line(upload, offset));
    }
    this.update();
    if (!this.section.hidden) announce(LIVE.interrupted(this.list.children.length));
  }

  /** Takes the line of a file away that goes on now. */
  taken(file: File, folder: string): void {
    for (const line of this.list.children) {
      if (line instanceof HTMLElement && line.dataset.key?.includes(fingerprintOf(file, folder)) === true) line.remove();
    }
    this.update();
  }

  private update(): void {
    this.section.hidden = this.list.children.length === 0;
  }

  private line(upload: Interrupted, offset: number): HTMLElement {
    const name = displayName(upload.metadata["filename"] ?? "");
    const size = upload.size ?? 0;
    const line = create("li", "item");
    line.dataset.key = upload.urlStorageKey;
    const button = create("button", "button small", ITEM.discard);
    button.type = "button";
    button.setAttribute("aria-label", ITEM.actionOn(ITEM.discard, name));
    button.addEventListener("click", () => {
      void discard(upload);
      line.remove();
      announce(LIVE.removed(name));
      this.update();
      (this.section.hidden ? byId("file", HTMLElement) : byId("interrupted-title", HTMLElement)).focus();
    });
    const title = create("p", "item-title");
    title.append(create("bdi", "item-name", name));
    const head = create("div", "item-head");
    head.append(title, button);
    line.append(head, create("p", "item-status", ITEM.goesOn(FORMAT.bytes(size), percentOf(offset, size))));
    return line;
  }
}
