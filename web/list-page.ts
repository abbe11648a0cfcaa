/** `GET /list`: what is under way, a table of the files that have arrived, a search, a link to the next page. */
import { defaultSort, type ListSort } from "../protocol/list-sort.ts";
import { algorithmName, displayName, formatBytes, formatCount, formatExactBytes, formatUtc, percentOf, preferredChecksum } from "./format.ts";
import { frame } from "./frame.ts";
import { html, type Html, type HtmlValue } from "./html.ts";
import type { ListModel, UnderWayView, UploadView } from "./model.ts";
import { stringsOf, type Language, type Strings } from "./strings/languages.ts";

/** Most uploads under way that are shown one by one. */
const UNDER_WAY_MAX = 20;

/** What the parts of the page are written with. */
interface Wording {
  readonly language: Language;
  readonly strings: Strings;
}

function digestCell({ strings: { COPY } }: Wording, upload: UploadView, withAlgorithm: boolean): HtmlValue {
  const checksum = preferredChecksum(upload.checksums);
  if (checksum === null) return "";
  const label = algorithmName(checksum.algorithm);
  return html`<span class="digest-line">${withAlgorithm && html`<span class="quiet small">${label}</span> `}<code class="digest" title="${checksum.digest}">${checksum.digest}</code>
<button type="button" class="button small plain" data-copy="${checksum.digest}" aria-label="${COPY.digest(label, displayName(upload.name))}" hidden>${COPY.copy}</button></span>`;
}

function listRow(wording: Wording, upload: UploadView, isNew: boolean, withAlgorithm: boolean, checksumTitle: string): Html {
  const { language, strings: { LIST } } = wording;
  const folder = upload.folder ?? null;
  const name = html`${folder !== null && html`<bdi class="quiet">${displayName(folder)}/</bdi>`}<bdi>${displayName(upload.name)}</bdi>`;
  // A file that is not filed yet cannot be fetched, so it is no link.
  const link = upload.state === "complete" ? html`<a href="/files/${encodeURIComponent(upload.id)}">${name}</a>` : name;
  return html`<tr data-key="${upload.id}"${isNew && html` class="new"`}>
<th scope="row">${link}${isNew && html` <span class="badge">${LIST.isNew}</span>`}</th>
<td class="number" data-label="${LIST.size}"><span title="${formatExactBytes(upload.size, language)}">${formatBytes(upload.size, language)}</span></td>
<td data-label="${checksumTitle}">${digestCell(wording, upload, withAlgorithm)}</td>
<td data-label="${LIST.time}">${upload.completedAt === null ? html`<span class="quiet">${LIST.pending}</span>` : html`<time datetime="${upload.completedAt}">${formatUtc(upload.completedAt)}</time>`}</td>
<td class="description" data-label="${LIST.description}">${upload.description !== null && html`<bdi>${upload.description}</bdi>`}</td>
</tr>
`;
}

/** Orders by the column's key: the one that a reader most likely wants, then the other. */
const SORTS: Readonly<Record<"name" | "size" | "time", readonly [ListSort, ListSort]>> = { name: ["name", "-name"], size: ["-size", "size"], time: ["-time", "time"] };

/** A column's title that sorts by it; without JavaScript too. */
function sortHeader(model: ListModel, { strings: { LIST } }: Wording, key: "name" | "size" | "time", className = ""): Html {
  const sort = model.sort ?? defaultSort;
  const [first, second] = SORTS[key];
  const isCurrent = sort === first || sort === second;
  const isDown = sort.startsWith("-");
  const address = listAddress({ ...model, sort: sort === first ? second : first }, null);
  const order = isCurrent ? html` aria-sort="${isDown ? "descending" : "ascending"}"` : null;
  return html`<th scope="col"${className !== "" && html` class="${className}"`}${order}><a class="sort" href="${address}" data-sort="${key}">${LIST[key]}<span class="sort-sign" aria-hidden="true">${isCurrent && (isDown ? "↓" : "↑")}</span></a></th>`;
}

function listTable(model: ListModel, wording: Wording): Html {
  const { LIST } = wording.strings;
  const isNew = new Set(model.newIds);
  const algorithms = new Set(model.uploads.map((upload) => preferredChecksum(upload.checksums)?.algorithm));
  algorithms.delete(undefined);
  const only = algorithms.size === 1 ? [...algorithms][0] : undefined;
  const checksumTitle = only === undefined ? LIST.checksum : algorithmName(only);
  return html`<div class="card table-card">
<table class="files">
<caption class="visually-hidden">${LIST.caption(LIST.orders[model.sort ?? defaultSort])}</caption>
<thead><tr>${sortHeader(model, wording, "name")}${sortHeader(model, wording, "size", "number")}<th scope="col">${checksumTitle}</th>${sortHeader(model, wording, "time")}<th scope="col">${LIST.description}</th></tr></thead>
<tbody>
${model.uploads.map((upload) => listRow(wording, upload, isNew.has(upload.id), only === undefined, checksumTitle))}</tbody>
</table>
</div>`;
}

function listEmpty(model: ListModel, { strings: { HOME, LIST } }: Wording): Html {
  if (model.query !== "") {
    return html`<div class="card empty"><p class="empty-title">${LIST.nothingFound(model.query)}</p><p class="quiet">${LIST.nothingFoundHint}</p><p><a class="button" href="/list">${LIST.showAll}</a></p></div>`;
  }
  if (model.after !== undefined && model.after !== null) {
    return html`<div class="card empty"><p class="empty-title">${LIST.noMore}</p><p class="quiet">${LIST.noMoreHint}</p><p><a class="button" href="/list">${LIST.newest}</a></p></div>`;
  }
  return html`<div class="card empty"><p class="empty-title">${LIST.empty}</p><p class="quiet">${LIST.emptyHint}</p><p><a class="button primary" href="/">${HOME.title}</a></p></div>`;
}

function listAddress({ query, sort }: Pick<ListModel, "query" | "sort">, after: string | null): string {
  const parameters = new URLSearchParams();
  if (query !== "") parameters.set("q", query);
  if (sort !== undefined && sort !== defaultSort) parameters.set("sort", sort);
  if (after !== null) parameters.set("after", after);
  const text = parameters.toString();
  return text === "" ? "/list" : `/list?${text}`;
}

function listPaging(model: ListModel, { strings: { LIST } }: Wording): HtmlValue {
  const after = model.after ?? null;
  if (after === null && model.next === null) return null;
  const [first, next] = (model.sort ?? defaultSort) === defaultSort ? [LIST.newest, LIST.older] : [LIST.firstPage, LIST.nextPage];
  return html`<nav class="paging" aria-label="${LIST.pages}">
${after !== null && html`<a class="button" href="${listAddress(model, null)}">${first}</a>`}
${model.next !== null && html`<a class="button" rel="next" href="${listAddress(model, model.next)}">${next}</a>`}
</nav>`;
}

function underWayLine({ language, strings: { ITEM, LIST } }: Wording, upload: UnderWayView): Html {
  const received = formatBytes(upload.received, language);
  const amount = upload.size === null ? received : ITEM.amount(received, formatBytes(upload.size, language), percentOf(upload.received, upload.size));
  const fill = upload.size === null ? null : html` value="${upload.size === 0 ? 1 : Math.min(1, upload.received / upload.size)}"`;
  return html`<li class="item" data-key="${upload.startedAt} ${upload.name}"><p class="item-title"><bdi class="item-name">${displayName(upload.name)}</bdi></p>
<progress max="1"${fill} aria-label="${ITEM.progressOf(displayName(upload.name))}"></progress>
<p class="item-status">${amount} · ${LIST.since} <time datetime="${upload.startedAt}">${formatUtc(upload.startedAt)}</time></p></li>
`;
}

/** Newest first, as in the table. The section is there when it is empty too, for what comes while the page is looked at. */
function underWay(model: ListModel, wording: Wording): Html {
  const { LIST } = wording.strings;
  const all = [...(model.underWay ?? [])].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  const more = all.length - UNDER_WAY_MAX;
  return html`<section id="under-way" class="under-way" aria-labelledby="under-way-title"${all.length === 0 && html` hidden`}>
<h2 id="under-way-title">${LIST.underWay} <span class="count">${formatCount(all.length, wording.language)}</span></h2>
<ul id="under-way-items" class="items">
${all.slice(0, UNDER_WAY_MAX).map((upload) => underWayLine(wording, upload))}${more > 0 && html`<li class="quiet small" data-key="more">${LIST.more(formatCount(more, wording.language))}</li>`}</ul>
</section>`;
}

/** `GET /list`. The script asks for the page again and again and takes over what has changed in it. */
export function renderList(model: ListModel): string {
  const language = model.language ?? "en";
  const strings = stringsOf(language);
  const wording = { language, strings };
  const { LIST } = strings;
  const sort = model.sort ?? defaultSort;
  const main = html`<div class="list-head">
<h1>${LIST.title}</h1>
<form class="search" method="get" action="/list" role="search">
<label class="visually-hidden" for="q">${LIST.search}</label>
<input id="q" type="search" name="q" value="${model.query}" placeholder="${LIST.searchHelp}" maxlength="200">
${sort !== defaultSort && html`<input type="hidden" name="sort" value="${sort}">`}
<button class="button" type="submit">${LIST.search}</button>
${model.query !== "" && html`<a class="button" href="${listAddress({ query: "", sort }, null)}">${LIST.clear}</a>`}
</form>
</div>
${model.newIds.length > 0 && html`<p class="notice" role="status">${LIST.added(model.newIds.length)}</p>`}
${underWay(model, wording)}
<div id="listing" data-live>
${model.uploads.length === 0 ? listEmpty(model, wording) : listTable(model, wording)}
${listPaging(model, wording)}
</div>
<p id="live-state" class="quiet small live-state" hidden></p>
<p id="live" class="visually-hidden" role="status" aria-live="polite"></p>`;
  return frame({ title: LIST.title, language, siteName: model.siteName, current: "list", standalone: false, script: true }, main);
}
