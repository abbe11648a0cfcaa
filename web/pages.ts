/** The three pages as functions of their models; each returns a whole HTML document. */
import { createHash } from "node:crypto";
import { algorithmName, displayName, formatBytes, formatExactBytes, formatUtc, preferredChecksum } from "./format.ts";
import { html, trusted, type Html, type HtmlValue } from "./html.ts";
import type { ErrorModel, HomeModel, ListModel, UploadView } from "./model.ts";
import { LANGUAGES, LANGUAGE_NAMES, stringsOf, type Language, type Strings } from "./strings/languages.ts";
import { BASE_CSS } from "./style/base.ts";

export type { ErrorModel, HomeModel, ListModel, UploadState, UploadView } from "./model.ts";

/** Where {@link buildAssets} of web/assets.ts is served. */
export const ASSETS_PATH = "/assets/";

/** Content-Security-Policy of every page that the service sends (CSP Level 3). */
export const PAGE_CSP =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Content-Security-Policy of a standalone error page: its one inline style sheet, by hash, and nothing else. */
export const STANDALONE_CSP =
  `default-src 'none'; style-src 'sha256-${createHash("sha256").update(BASE_CSS).digest("base64")}'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type PageName = "home" | "list";

interface FrameOptions {
  readonly title: string;
  readonly language: Language;
  readonly siteName: string | null;
  readonly current: PageName | null;
  /** Carries its own style and asks for nothing else. */
  readonly standalone: boolean;
  /** Loads the script too. */
  readonly script: boolean;
}

function headLinks(options: FrameOptions): HtmlValue {
  if (options.standalone) return html`<style>${trusted(BASE_CSS)}</style>`;
  return [
    html`<link rel="icon" href="${ASSETS_PATH}favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${ASSETS_PATH}app.css">`,
    options.script && html`
<script type="module" src="${ASSETS_PATH}upload.js"></script>`,
  ];
}

function navigationLink(href: string, label: string, isCurrent: boolean): Html {
  return isCurrent ? html`<a href="${href}" aria-current="page">${label}</a>` : html`<a href="${href}">${label}</a>`;
}

function languageSwitch({ language }: FrameOptions): Html {
  const links = LANGUAGES.map((one) =>
    one === language ? html`<a href="?lang=${one}" lang="${one}" aria-current="true">${LANGUAGE_NAMES[one]}</a>
` : html`<a href="?lang=${one}" lang="${one}" hreflang="${one}">${LANGUAGE_NAMES[one]}</a>
`);
  return html`<nav class="languages" aria-label="${stringsOf(language).FRAME.language}">
${links}</nav>`;
}

function frame(options: FrameOptions, main: Html): string {
  const { FRAME } = stringsOf(options.language);
  const title = options.siteName === null ? options.title : `${options.title} · ${options.siteName}`;
  const document = html`<!doctype html>
<html lang="${options.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="same-origin">
<title>${title}</title>
${headLinks(options)}
</head>
<body>
<a class="skip" href="#main">${FRAME.skip}</a>
<header class="bar">
<div class="bar-inner">
${options.siteName !== null && html`<a class="site" href="/">${options.siteName}</a>`}
<nav aria-label="${FRAME.navigation}">
${navigationLink("/", FRAME.upload, options.current === "home")}
${navigationLink("/list", FRAME.files, options.current === "list")}
</nav>
${options.current !== null && languageSwitch(options)}
</div>
</header>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>
`;
  return document.text;
}

/** `GET /`: the form, which works as it stands; the script makes a drop zone with progress of it. */
export function renderHome(model: HomeModel): string {
  const language = model.language ?? "en";
  const { COPY, HOME, ITEM } = stringsOf(language);
  const limit = model.maxFileSize > 0 ? ` ${HOME.limit(formatBytes(model.maxFileSize))}` : "";
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
<ul id="items" class="items"></ul>
</section>
<p id="live" class="visually-hidden" role="status" aria-live="polite"></p>
<details class="terminal">
<summary>${HOME.terminalTitle}</summary>
<p class="quiet">${HOME.terminalLead}</p>
<div class="command"><pre tabindex="0" role="region" aria-label="${HOME.terminalTitle}"><code id="command" data-path="${model.uploadPath}">curl --cacert CA -F file=@FILE -F terminal=yes https://HOST${model.uploadPath}</code></pre>
<button type="button" class="button small plain" data-copy-from="command" aria-label="${COPY.command}" hidden>${COPY.copy}</button></div>
</details>`;
  return frame({ title: HOME.title, language, siteName: model.siteName, current: "home", standalone: false, script: true }, main);
}

function digestCell({ COPY }: Strings, upload: UploadView, withAlgorithm: boolean): HtmlValue {
  const checksum = preferredChecksum(upload.checksums);
  if (checksum === null) return "";
  const label = algorithmName(checksum.algorithm);
  return html`<span class="digest-line">${withAlgorithm && html`<span class="quiet small">${label}</span> `}<code class="digest" title="${checksum.digest}">${checksum.digest}</code>
<button type="button" class="button small plain" data-copy="${checksum.digest}" aria-label="${COPY.digest(label, displayName(upload.name))}" hidden>${COPY.copy}</button></span>`;
}

function listRow(strings: Strings, upload: UploadView, isNew: boolean, withAlgorithm: boolean, checksumTitle: string): Html {
  const { LIST } = strings;
  const folder = upload.folder ?? null;
  const name = html`${folder !== null && html`<bdi class="quiet">${displayName(folder)}/</bdi>`}<bdi>${displayName(upload.name)}</bdi>`;
  // A file that is not filed yet cannot be fetched, so it is no link.
  const link = upload.state === "complete" ? html`<a href="/files/${encodeURIComponent(upload.id)}">${name}</a>` : name;
  return html`<tr${isNew && html` class="new"`}>
<th scope="row">${link}${isNew && html` <span class="badge">${LIST.isNew}</span>`}</th>
<td class="number" data-label="${LIST.size}"><span title="${formatExactBytes(upload.size)}">${formatBytes(upload.size)}</span></td>
<td data-label="${checksumTitle}">${digestCell(strings, upload, withAlgorithm)}</td>
<td data-label="${LIST.time}">${upload.completedAt === null ? html`<span class="quiet">${LIST.pending}</span>` : html`<time datetime="${upload.completedAt}">${formatUtc(upload.completedAt)}</time>`}</td>
<td class="description" data-label="${LIST.description}">${upload.description !== null && html`<bdi>${upload.description}</bdi>`}</td>
</tr>
`;
}

function listTable(model: ListModel, strings: Strings): Html {
  const { LIST } = strings;
  const isNew = new Set(model.newIds);
  const algorithms = new Set(model.uploads.map((upload) => preferredChecksum(upload.checksums)?.algorithm));
  algorithms.delete(undefined);
  const only = algorithms.size === 1 ? [...algorithms][0] : undefined;
  const checksumTitle = only === undefined ? LIST.checksum : algorithmName(only);
  return html`<div class="card table-card">
<table class="files">
<caption class="visually-hidden">${LIST.caption}</caption>
<thead><tr><th scope="col">${LIST.name}</th><th scope="col" class="number">${LIST.size}</th><th scope="col">${checksumTitle}</th><th scope="col">${LIST.time}</th><th scope="col">${LIST.description}</th></tr></thead>
<tbody>
${model.uploads.map((upload) => listRow(strings, upload, isNew.has(upload.id), only === undefined, checksumTitle))}</tbody>
</table>
</div>`;
}

function listEmpty(model: ListModel, { HOME, LIST }: Strings): Html {
  if (model.query !== "") {
    return html`<div class="card empty"><p class="empty-title">${LIST.nothingFound(model.query)}</p><p class="quiet">${LIST.nothingFoundHint}</p><p><a class="button" href="/list">${LIST.showAll}</a></p></div>`;
  }
  if (model.after !== undefined && model.after !== null) {
    return html`<div class="card empty"><p class="empty-title">${LIST.noMore}</p><p class="quiet">${LIST.noMoreHint}</p><p><a class="button" href="/list">${LIST.newest}</a></p></div>`;
  }
  return html`<div class="card empty"><p class="empty-title">${LIST.empty}</p><p class="quiet">${LIST.emptyHint}</p><p><a class="button primary" href="/">${HOME.title}</a></p></div>`;
}

function listAddress(query: string, after: string | null): string {
  const parameters = new URLSearchParams();
  if (query !== "") parameters.set("q", query);
  if (after !== null) parameters.set("after", after);
  const text = parameters.toString();
  return text === "" ? "/list" : `/list?${text}`;
}

function listPaging(model: ListModel, { LIST }: Strings): HtmlValue {
  const after = model.after ?? null;
  if (after === null && model.next === null) return null;
  return html`<nav class="paging" aria-label="${LIST.pages}">
${after !== null && html`<a class="button" href="${listAddress(model.query, null)}">${LIST.newest}</a>`}
${model.next !== null && html`<a class="button" rel="next" href="${listAddress(model.query, model.next)}">${LIST.older}</a>`}
</nav>`;
}

/** `GET /list`: a table of uploads, a search box, a link to older ones. */
export function renderList(model: ListModel): string {
  const language = model.language ?? "en";
  const strings = stringsOf(language);
  const { LIST } = strings;
  const main = html`<div class="list-head">
<h1>${LIST.title}</h1>
<form class="search" method="get" action="/list" role="search">
<label class="visually-hidden" for="q">${LIST.search}</label>
<input id="q" type="search" name="q" value="${model.query}" placeholder="${LIST.searchHelp}" maxlength="200">
<button class="button" type="submit">${LIST.search}</button>
${model.query !== "" && html`<a class="button" href="/list">${LIST.clear}</a>`}
</form>
</div>
${model.newIds.length > 0 && html`<p class="notice" role="status">${LIST.added(model.newIds.length)}</p>`}
${model.uploads.length === 0 ? listEmpty(model, strings) : listTable(model, strings)}
${listPaging(model, strings)}
<p id="live" class="visually-hidden" role="status" aria-live="polite"></p>`;
  return frame({ title: LIST.title, language, siteName: model.siteName, current: "list", standalone: false, script: true }, main);
}

/**
 * An error page.
 * @param options.standalone The page carries its own style and needs no asset, for pages that nginx sends while
 *   the service is down; send it with {@link STANDALONE_CSP}. @default false
 */
export function renderError(model: ErrorModel, options: { readonly standalone?: boolean } = {}): string {
  const language = model.language ?? "en";
  const { ERROR } = stringsOf(language);
  const main = html`<div class="card error-card">
<p class="error-status">${ERROR.title(model.status)} <span class="quiet">${model.code}</span></p>
<h1>${model.message}</h1>
<p class="lead">${model.hint}</p>
${model.requestId !== undefined && html`<p class="quiet small">${ERROR.requestId} <code>${model.requestId}</code><br>${ERROR.requestIdHelp}</p>`}
<p class="error-links"><a class="button primary" href="/">${ERROR.back}</a> <a class="button" href="/list">${ERROR.toList}</a></p>
</div>`;
  return frame(
    { title: ERROR.title(model.status), language, siteName: null, current: null, standalone: options.standalone ?? false, script: false },
    main,
  );
}
