/** What the script adds to any page: copy buttons and local times. */
import { formatUtc } from "../format.ts";
import { languageOf } from "../strings/languages.ts";
import { announce } from "./dom.ts";
import { COPY, LANGUAGE, LIVE } from "./words.ts";

/** How long a button says what happened, ms. */
const COPIED_MS = 2000;

const COPIES = "[data-copy], [data-copy-from]";

function textToCopy(button: HTMLElement): string {
  const from = button.dataset.copyFrom;
  return from === undefined ? (button.dataset.copy ?? "") : (document.getElementById(from)?.textContent ?? "");
}

async function copy(button: HTMLElement): Promise<void> {
  let label: string = COPY.copied;
  try {
    await navigator.clipboard.writeText(textToCopy(button));
    announce(LIVE.copied);
  } catch {
    // Refused by the user or the browser; the text itself stays selectable.
    label = COPY.failed;
    announce(COPY.failed);
  }
  button.textContent = label;
  setTimeout(() => {
    button.textContent = COPY.copy;
  }, COPIED_MS);
}

// The reader's own variant of the page's language: "en-GB" writes days otherwise than "en-US".
const locale = navigator.languages.find((tag) => languageOf(tag) === LANGUAGE) ?? LANGUAGE;
const timeFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

/** Enhances a part of the page; once for each part. */
export function enhancePart(part: ParentNode): void {
  for (const button of part.querySelectorAll<HTMLElement>(COPIES)) button.hidden = false;
  for (const element of part.querySelectorAll("time")) {
    const time = new Date(element.dateTime);
    if (Number.isNaN(time.getTime())) continue;
    element.title = formatUtc(element.dateTime);
    element.textContent = timeFormat.format(time);
  }
}

/** Enhances the page that is loaded. */
export function enhancePage(): void {
  enhancePart(document);
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>(COPIES) : null;
    if (button !== null) void copy(button);
  });
}
