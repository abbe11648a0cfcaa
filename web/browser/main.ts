/** The script of every page: what is there gets enhanced. */
import { byId } from "./dom.ts";
import { acceptDrops } from "./drop.ts";
import { enhancePage } from "./enhance.ts";
import { Uploader } from "./uploader.ts";

function enhanceForm(form: HTMLFormElement): void {
  const input = byId("file", HTMLInputElement);
  const description = byId("description", HTMLInputElement);
  const uploader = new Uploader({
    path: form.getAttribute("action") ?? "",
    maxFileSize: Number(form.dataset.maxFileSize ?? "0"),
  });
  const takeChosen = (): void => {
    if (input.files === null || input.files.length === 0) return;
    uploader.add({ files: [...input.files], folders: [] });
    // Choosing the same file again is a change only when the input is empty.
    input.value = "";
  };
  input.required = false;
  input.addEventListener("change", takeChosen);
  acceptDrops(byId("drop", HTMLElement), (dropped) => uploader.add(dropped));
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
enhancePage();
const form = document.getElementById("upload");
if (form instanceof HTMLFormElement) enhanceForm(form);
