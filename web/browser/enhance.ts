/** What the script adds to any page: copy buttons, local times, this site's address in the command. */
import { formatUtc } from "../format.ts";
import { COPY, LIVE } from "./words.ts";
import { announce } from "./dom.ts";

/** How long a button says what happened, ms. */
const COPIED_MS = 2000;

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

function enableCopying(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-copy], [data-copy-from]")) button.hidden = false;
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-copy], [data-copy-from]") : null;
    if (button !== null) void copy(button);
  });
}

function localiseTimes(): void {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const element of document.querySelectorAll("time")) {
    const time = new Date(element.dateTime);
    if (Number.isNaN(time.getTime())) continue;
    element.title = formatUtc(element.dateTime);
    element.textContent = format.format(time);
  }
}

function completeCommand(): void {
  const code = document.getElementById("command");
  if (code?.dataset.path === undefined) return;
  code.textContent = `curl --cacert CA -F file=@FILE -F terminal=yes ${location.origin}${code.dataset.path}`;
}

/** Enhances the page that is loaded. */
export function enhancePage(): void {
  enableCopying();
  localiseTimes();
  completeCommand();
}
