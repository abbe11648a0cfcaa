/** What every page has around its content, and the policies that it is sent with. */
import { createHash } from "node:crypto";
import { html, trusted, type Html, type HtmlValue } from "./html.ts";
import { LANGUAGES, LANGUAGE_NAMES, stringsOf, type Language } from "./strings/languages.ts";
import { BASE_CSS } from "./style/base.ts";

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

export interface FrameOptions {
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

/** A whole document around the content of a page. */
export function frame(options: FrameOptions, main: Html): string {
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
