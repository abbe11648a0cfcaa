/** The pages as functions of their models; each returns a whole HTML document. */
import { formatBytes } from "./format.ts";
import { frame, PUSH_CLIENT } from "./frame.ts";
import { html, type Html } from "./html.ts";
import type { ErrorModel, HomeModel } from "./model.ts";
import { stringsOf, type Language, type Strings } from "./strings/languages.ts";
import { explain, type Explained } from "./strings/refusals/refusals.ts";

export { ASSETS_PATH, PAGE_CSP, PUSH_CLIENT, STANDALONE_CSP } from "./frame.ts";
export { renderList } from "./list-page.ts";
export type { ErrorModel, HomeModel, ListModel, UnderWayView, UploadState, UploadView } from "./model.ts";

function command({ COPY }: Strings, id: string, title: string, lines: readonly string[]): Html {
  return html`<h3>${title}</h3>
<div class="command"><pre tabindex="0" role="region" aria-label="${title}"><code id="${id}">${lines.join("\n")}</code></pre>
<button type="button" class="button small plain" data-copy-from="${id}" aria-label="${COPY.command(title)}" hidden>${COPY.copy}</button></div>`;
}

/** How the same is done without a browser, with this site's own address. */
function terminal(model: HomeModel, language: Language): Html {
  const strings = stringsOf(language);
  const { HOME } = strings;
  const origin = `https://${model.host || "HOST"}`;
  return html`<details class="terminal">
<summary>${HOME.terminalTitle}</summary>
${command(strings, "command-push", HOME.terminalPush, [`curl -O ${origin}/${PUSH_CLIENT}`, `node ${PUSH_CLIENT} push FILE ${origin}/`])}
<p class="quiet small">${HOME.terminalPushHelp}</p>
${command(strings, "command-curl", HOME.terminalCurl, [`curl -T FILE ${origin}${model.uploadPath}/`])}
<p class="quiet small">${HOME.terminalTrust}</p>
</details>`;
}

/** `GET /`: the form, which works as it stands; the script makes a drop zone with progress of it. */
export function renderHome(model: HomeModel): string {
  const language = model.language ?? "en";
  const { HOME, ITEM } = stringsOf(language);
  const limit = model.maxFileSize > 0 ? ` ${HOME.limit(formatBytes(model.maxFileSize, language))}` : "";
  const main = html`<h1>${HOME.title}</h1>
<p class="lead">${HOME.lead}${limit}</p>
<form id="upload" class="card" method="post" action="${model.uploadPath}" enctype="multipart/form-data" data-max-file-size="${model.maxFileSize}" data-tus-path="${model.tusPath ?? ""}">
<label id="drop" class="drop" for="file">
<svg class="drop-sign" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true"><path d="M16 21V6m0 0-6 6m6-6 6 6M6 21v3a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2v-3"/></svg>
<span class="drop-text"><span class="drop-action">${HOME.choose}</span> <span class="drop-or">${HOME.orDrop}</span></span>
<span class="drop-now" aria-hidden="true">${HOME.dropNow}</span>
<input id="file" type="file" name="file" multiple required>
</label>
<p class="folder-choice" hidden><label class="button small" for="folder">${HOME.chooseFolder}<input id="folder" type="file" webkitdirectory></label></p>
<div class="field">
<label for="description">${HOME.description} <span class="quiet">${HOME.optional}</span></label>
<input id="description" type="text" name="description" maxlength="1000" autocomplete="off" aria-describedby="description-help">
<p id="description-help" class="quiet small">${HOME.descriptionHelp}</p>
</div>
<div class="actions"><button id="submit" class="button primary" type="submit" name="submit" value="Upload">${HOME.submit}</button></div>
<noscript><p class="quiet small">${HOME.withoutScript}</p></noscript>
</form>
<section id="interrupted" class="queue" aria-labelledby="interrupted-title" hidden>
<h2 id="interrupted-title" tabindex="-1">${HOME.interruptedTitle}</h2>
<p class="quiet small">${HOME.interruptedHelp}</p>
<ul id="interrupted-items" class="items"></ul>
</section>
<section id="queue" class="queue" aria-labelledby="queue-title" hidden>
<div class="queue-head"><h2 id="queue-title" tabindex="-1">${HOME.queueTitle}</h2><p class="queue-sum"><span id="queue-summary" class="quiet"></span> <a id="queue-link" href="/list" hidden>${ITEM.seeList}</a></p></div>
<p id="queue-notice" class="notice" hidden></p>
<ul id="items" class="items"></ul>
</section>
<p id="live" class="visually-hidden" role="status" aria-live="polite"></p>
${terminal(model, language)}`;
  return frame({ title: HOME.title, language, siteName: model.siteName, current: "home", standalone: false, script: true }, main);
}

/**
 * An error page.
 * @param options.standalone The page carries its own style and needs no asset, for pages that nginx sends while
 *   the service is down; send it with {@link STANDALONE_CSP}. @default false
 */
export function renderError(model: ErrorModel, options: { readonly standalone?: boolean } = {}): string {
  const language = model.language ?? "en";
  const { ERROR } = stringsOf(language);
  // In English the page says what a program is told, word for word (docs/internals/contracts.md, section 4).
  const { message, hint, detail }: Explained = language === "en" ? model : explain(language, model);
  const main = html`<div class="card error-card">
<p class="error-status">${ERROR.title(model.status)} <span class="quiet">${model.code}</span></p>
<h1>${message}</h1>
<p class="lead">${hint}</p>
${detail !== undefined && html`<p class="quiet small">${ERROR.detail} <span lang="en">${detail}</span></p>`}
${model.requestId !== undefined && html`<p class="quiet small">${ERROR.requestId} <code>${model.requestId}</code><br>${ERROR.requestIdHelp}</p>`}
<p class="error-links"><a class="button primary" href="/">${ERROR.back}</a> <a class="button" href="/list">${ERROR.toList}</a></p>
</div>`;
  return frame(
    { title: ERROR.title(model.status), language, siteName: null, current: null, standalone: options.standalone ?? false, script: false },
    main,
  );
}
