/** The few DOM steps that several modules take. */

/**
 * The element with an id.
 * @throws Error when the page has none of that type, which is a mistake between pages.ts and the script.
 */
export function byId<T extends Element>(id: string, type: abstract new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`#${id}: not a ${type.name} of this page`);
}

/** A new element with a class and a text. */
export function create<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  if (text !== "") element.textContent = text;
  return element;
}

/** Sets a text only when it differs: screen readers and selections notice a text that is set again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** How long sentences are gathered, ms: one that replaces another at once would keep it from being read. */
const GATHER_MS = 150;

const SAID_AT_ONCE_MAX = 5;

let gathered: string[] = [];

/** Has screen readers say a sentence, after what they are saying now. */
export function announce(sentence: string): void {
  gathered.push(sentence);
  if (gathered.length > 1) return;
  setTimeout(() => {
    const live = document.getElementById("live");
    // Of a hundred sentences at once nobody hears the last.
    if (live !== null) live.textContent = gathered.slice(-SAID_AT_ONCE_MAX).join(". ");
    gathered = [];
  }, GATHER_MS);
}
