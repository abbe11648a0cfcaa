/** The line of one file: built once, then only changed where its state changed, so that focus and selection stay. */
import { algorithmName, displayName, percentOf, preferredChecksum } from "../format.ts";
import { COPY, ERROR, FORMAT, ITEM } from "./words.ts";
import { create, setText } from "./dom.ts";
import type { Item, ItemState, UploadResult } from "./queue.ts";
import type { Rate } from "./rate.ts";

/** What a button of a line asks for. */
export type RowAction = "cancel" | "pause" | "resume" | "retry" | "remove";

interface ActionLabel {
  readonly action: RowAction;
  readonly label: string;
}

/** The buttons of a state, the likelier first. @param canPause Whether what is sent could go on later. */
export function actionsOf(state: ItemState, canPause = false): readonly ActionLabel[] {
  switch (state.kind) {
    case "ready":
      return [{ action: "remove", label: ITEM.remove }];
    case "paused":
      return [
        { action: "resume", label: ITEM.resume },
        { action: "cancel", label: ITEM.cancel },
      ];
    case "sending":
      return [...(canPause ? [{ action: "pause", label: ITEM.pause } as const] : []), { action: "cancel", label: ITEM.cancel }];
    case "queued":
    case "finishing":
      return [{ action: "cancel", label: ITEM.cancel }];
    case "failed":
      return [
        ...(state.canRetry ? [{ action: "retry", label: ITEM.retry } as const] : []),
        { action: "remove", label: ITEM.dismiss },
      ];
    case "cancelled":
      return [
        { action: "retry", label: ITEM.retry },
        { action: "remove", label: ITEM.dismiss },
      ];
    case "done":
      return [];
  }
}

/** The status line of an item. @param rate Null while unknown. */
export function statusOf(item: Item, rate: Rate | null): string {
  const { state } = item;
  if (state.kind !== "sending" && state.kind !== "paused") return ITEM[state.kind];
  const amount = ITEM.amount(FORMAT.bytes(state.loaded), FORMAT.bytes(item.size), percentOf(state.loaded, item.size));
  if (state.kind === "paused") return `${ITEM.paused} · ${amount}`;
  if (rate === null) return amount;
  const left = FORMAT.duration(rate.secondsLeft);
  return [amount, FORMAT.speed(rate.bytesPerSecond), ...(left === "" ? [] : [ITEM.left(left)])].join(" · ");
}

/** Share of the bar that is filled, 0 to 1; null where no bar belongs. */
export function fillOf(item: Item): number | null {
  const { state } = item;
  if (state.kind === "queued") return 0;
  if (state.kind === "finishing") return 1;
  if (state.kind !== "sending" && state.kind !== "paused") return null;
  return item.size === 0 ? 1 : state.loaded / item.size;
}

function resultElement(result: UploadResult): HTMLElement {
  const box = create("div", "item-result");
  const checksum = preferredChecksum(result.checksums);
  if (checksum !== null) {
    const label = algorithmName(checksum.algorithm);
    const line = create("span", "digest-line");
    const code = create("code", "digest digest-long", checksum.digest);
    code.title = checksum.digest;
    const button = create("button", "button small plain", COPY.copy);
    button.type = "button";
    button.dataset.copy = checksum.digest;
    button.setAttribute("aria-label", COPY.digest(label, displayName(result.name)));
    line.append(create("span", "quiet small", label), code, button);
    box.append(line);
    // Beside the line, not in it: on a phone it goes below, and the digest keeps its place.
    if (result.verified === true) box.append(create("span", "quiet small", `✓ ${ITEM.verified}`));
  }
  const link = create("a", "small", ITEM.seeInList);
  link.href = `/list?new=${encodeURIComponent(result.id)}`;
  box.append(link);
  return box;
}

function problemElement(state: ItemState & { readonly kind: "failed" }): HTMLElement {
  const box = create("div", "item-problem");
  box.append(create("p", "item-message", state.problem.message));
  if (state.problem.hint !== "") box.append(create("p", "", state.problem.hint));
  if (state.problem.detail !== undefined) {
    const words = create("span", "", state.problem.detail);
    words.lang = "en";
    const detail = create("p", "quiet small", `${ERROR.detail} `);
    detail.append(words);
    box.append(detail);
  }
  if (state.problem.requestId !== undefined) {
    box.append(create("p", "quiet small", ITEM.requestId(state.problem.requestId)));
  }
  return box;
}

/** A line on the page. */
export class Row {
  readonly element = create("li", "item");
  private readonly progress = create("progress");
  private readonly status = create("p", "item-status");
  private readonly actions = create("div", "item-actions");
  private readonly detail = create("div", "item-detail");
  private readonly onAction: (action: RowAction) => void;
  private readonly canPause: boolean;
  private shown: ItemState | null = null;

  constructor(item: Item, canPause: boolean, onAction: (action: RowAction) => void) {
    this.canPause = canPause;
    this.onAction = onAction;
    // Focus comes here when the button that had it goes away.
    this.element.tabIndex = -1;
    const name = create("bdi", "item-name", displayName(item.folder === "" ? item.name : `${item.folder}/${item.name}`));
    name.title = name.textContent;
    const size = create("span", "item-size quiet", FORMAT.bytes(item.size));
    size.title = FORMAT.exactBytes(item.size);
    const title = create("p", "item-title");
    title.append(name, size);
    const head = create("div", "item-head");
    head.append(title, this.actions);
    this.progress.max = 1;
    this.progress.setAttribute("aria-label", ITEM.progressOf(displayName(item.name)));
    this.element.append(head, this.progress, this.status, this.detail);
  }

  /** Shows an item as it is now. @param rate Null while unknown. */
  show(item: Item, rate: Rate | null): void {
    const { state } = item;
    setText(this.status, statusOf(item, rate));
    const fill = fillOf(item);
    this.progress.hidden = fill === null;
    this.progress.value = fill ?? 0;
    if (this.shown?.kind !== state.kind) {
      this.element.dataset.state = state.kind;
      this.showActions(item);
      this.detail.replaceChildren();
      if (state.kind === "done") this.detail.append(resultElement(state.result));
      if (state.kind === "failed") this.detail.append(problemElement(state));
    }
    this.shown = state;
  }

  private showActions(item: Item): void {
    const wanted = actionsOf(item.state, this.canPause);
    const present = [...this.actions.querySelectorAll("button")];
    const isSame = present.length === wanted.length && wanted.every(({ action }, index) => present[index]?.dataset.action === action);
    if (isSame) return;
    const hadFocus = this.actions.contains(document.activeElement);
    this.actions.replaceChildren(
      ...wanted.map(({ action, label }) => {
        const button = create("button", "button small", label);
        button.type = "button";
        button.dataset.action = action;
        button.setAttribute("aria-label", ITEM.actionOn(label, displayName(item.name)));
        button.addEventListener("click", () => this.onAction(action));
        return button;
      }),
    );
    if (hadFocus) (this.actions.querySelector("button") ?? this.element).focus();
  }
}
