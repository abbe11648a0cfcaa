/** The script of every page: what is there gets enhanced. */
import { byId } from "./dom.ts";
import { acceptDrops, foundIn } from "./drop.ts";
import { enhancePage } from "./enhance.ts";
import { InterruptedList } from "./interrupted.ts";
import { keepListLive } from "./live-list.ts";
import { Uploader } from "./uploader.ts";

function enhanceForm(form: HTMLFormElement): void {
  const input = byId("file", HTMLInputElement);
  const description = byId("description", HTMLInputElement);
  const folder = byId("folder", HTMLInputElement);
  const tusPath = form.dataset.tusPath || null;
  const interrupted = new InterruptedList();
  if (tusPath !== null) void interrupted.show();
  const uploader = new Uploader({
    path: form.getAttribute("action") ?? "",
    tusPath,
    onStart: (file, folder) => interrupted.taken(file, folder),
    maxFileSize: Number(form.dataset.maxFileSize ?? "0"),
  });
  const takeFrom = (chosen: HTMLInputElement): void => {
    if (chosen.files === null || chosen.files.length === 0) return;
    void uploader.add(foundIn(chosen.files));
    // Choosing the same file again is a change only when the input is empty.
    chosen.value = "";
  };
  const takeChosen = (): void => takeFrom(input);
  folder.addEventListener("change", () => takeFrom(folder));
  for (const choice of form.querySelectorAll<HTMLElement>(".folder-choice")) choice.hidden = false;
  input.required = false;
  input.addEventListener("change", takeChosen);
  acceptDrops(byId("drop", HTMLElement), (dropped) => void uploader.add(dropped));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const hadFocus = document.activeElement === byId("submit", HTMLButtonElement);
    uploader.submit(description.value);
    // The button is off until more is added, and a button that is off cannot keep the focus.
    if (hadFocus) byId("queue-title", HTMLElement).focus();
  });
  // A reload in Firefox brings the chosen files back.
  takeChosen();
}

document.documentElement.classList.add("js");
keepListLive();
enhancePage();
const form = document.getElementById("upload");
if (form instanceof HTMLFormElement) enhanceForm(form);
