import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorKinds } from "../../protocol/errors.ts";
import type { ErrorModel, HomeModel, ListModel, UploadView } from "../../web/model.ts";
import { PAGE_CSP, STANDALONE_CSP, renderError, renderHome, renderList } from "../../web/pages.ts";

const HOME: HomeModel = { siteName: "Archive", uploadPath: "/upload", maxFileSize: 0, checksums: ["sha256"] };
const UPLOAD: UploadView = {
  id: "01JD8ZK6Q4W0000000000000AB",
  name: "survey.las",
  size: 4_294_967_296,
  contentType: "application/octet-stream",
  checksums: { sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" },
  description: "North ridge",
  completedAt: "2026-11-22T20:47:00.000Z",
  state: "complete",
};
const LIST: ListModel = { siteName: "Archive", uploads: [UPLOAD], next: null, query: "", newIds: [] };
const ERROR: ErrorModel = { status: 413, code: "too_large", message: "The file would have 5 bytes; this site takes at most 4.", hint: "Split it." };

/** Names of all elements that a text opens, as a browser would see them when every value is escaped. */
function tagNames(page: string): string[] {
  return [...page.matchAll(/<([a-z][a-z0-9]*)\b/g)].map((match) => match[1] ?? "");
}

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("</title><script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "' onfocus='x", "`${1}`", "javascript:x", "]]>", "<!--"),
);

describe("every page", () => {
  it("has the same elements whatever the texts of its model are", () => {
    const expectedList = tagNames(renderList({ ...LIST, query: "x", newIds: ["x"] }));
    fc.assert(
      fc.property(hostile, hostile.filter((text) => text !== ""), (text, query) => {
        const upload = { ...UPLOAD, id: text, name: text, description: text, checksums: { sha256: text }, completedAt: text };
        const list = renderList({ siteName: text, uploads: [upload], next: null, query, newIds: ["not" + text] });
        expect(tagNames(list)).toEqual(expectedList);
        expect(tagNames(renderHome({ ...HOME, siteName: text, uploadPath: text }))).toEqual(tagNames(renderHome(HOME)));
        const error = renderError({ ...ERROR, code: text, message: text, hint: text }, { standalone: true });
        expect(tagNames(error)).toEqual(tagNames(renderError(ERROR, { standalone: true })));
      }),
    );
  });

  it.each([
    ["home", renderHome(HOME)],
    ["list", renderList({ ...LIST, next: "x", newIds: [UPLOAD.id] })],
    ["error", renderError(ERROR)],
    ["standalone error", renderError(ERROR, { standalone: true })],
  ])("%s asks for nothing from elsewhere and has no inline script, style attribute or handler", (_name, page) => {
    // A namespace is a name, and the example's address is text.
    expect(page.replaceAll("https://HOST", "")).not.toMatch(/(https?:)?\/\/[a-z]/);
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(page).not.toMatch(/\s(style|on[a-z]+)=/);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page.match(/<h1>/g)).toHaveLength(1);
  });

  it("has a policy that allows nothing inline and nothing from elsewhere", () => {
    expect(PAGE_CSP).toContain("default-src 'none'");
    expect(PAGE_CSP).not.toMatch(/unsafe|https?:|\*/);
  });
});

describe("renderHome", () => {
  it("is a form that works without a script", () => {
    const page = renderHome({ ...HOME, uploadPath: "/in/put" });
    expect(page).toMatch(/<form [^>]*method="post" action="\/in\/put" enctype="multipart\/form-data"/);
    expect(page).toMatch(/<input id="file" type="file" name="file" multiple required>/);
    expect(page).toContain('name="description"');
    expect(page).toMatch(/type="submit" name="submit" value="Upload"/);
  });

  it("names the limit only where there is one", () => {
    expect(renderHome({ ...HOME, maxFileSize: 20_000_000_000 })).toContain("Up to 20\u00a0GB a file.");
    expect(renderHome(HOME)).not.toContain("Up to");
  });

  it("shows the commands of a terminal with the site's own address", () => {
    const page = renderHome({ ...HOME, uploadPath: "/in", host: "files.example:8443" });
    expect(page).toContain("curl -O https://files.example:8443/slipway.mjs\nnode slipway.mjs push FILE https://files.example:8443/</code>");
    expect(page).toContain("curl -T FILE https://files.example:8443/in/</code>");
    expect(renderHome(HOME)).toContain("https://HOST/slipway.mjs");
  });
});

describe("renderList", () => {
  it("shows name, size, digest, time and description of an upload", () => {
    const page = renderList(LIST);
    expect(page).toContain(`<a href="/files/${UPLOAD.id}"><bdi>survey.las</bdi></a>`);
    expect(page).toContain('<span title="4,294,967,296\u00a0bytes">4.29\u00a0GB</span>');
    expect(page).toContain(`<code class="digest" title="${UPLOAD.checksums.sha256}">${UPLOAD.checksums.sha256}</code>`);
    expect(page).toContain('<time datetime="2026-11-22T20:47:00.000Z">2026-11-22 20:47 UTC</time>');
    expect(page).toContain("<bdi>North ridge</bdi>");
    expect(page).toContain('<th scope="col">SHA-256</th>');
    expect(page).toContain("Uploaded files, newest first");
  });

  it("says the algorithm beside each digest when they differ", () => {
    const other = { ...UPLOAD, checksums: { md5: "0123456789abcdef0123456789abcdef" } };
    const page = renderList({ ...LIST, uploads: [UPLOAD, other] });
    expect(page).toContain('<th scope="col">Checksum</th>');
    expect(page).toContain('<span class="quiet small">MD5</span>');
  });

  it("has no link to a file that is not filed yet", () => {
    const page = renderList({ ...LIST, uploads: [{ ...UPLOAD, state: "received", completedAt: null }] });
    expect(page).not.toContain("/files/");
    expect(page).toContain("being filed");
  });

  it("points out the new ones, and only those", () => {
    const older = { ...UPLOAD, id: "01JD8ZK6Q4W0000000000000AA" };
    const page = renderList({ ...LIST, uploads: [UPLOAD, older], newIds: [UPLOAD.id] });
    expect(page.match(/<tr data-key="[^"]*" class="new">/g)).toHaveLength(1);
    expect(page).toContain("1 file uploaded.");
    expect(renderList(LIST)).not.toContain('class="notice"');
  });

  it.each([
    [{ ...LIST, next: "B" }, ['href="/list?after=B"'], ["Newest"]],
    [{ ...LIST, next: "B", query: "a&b c" }, ['href="/list?q=a%26b+c&amp;after=B"'], ["Newest"]],
    [{ ...LIST, after: "A" }, ["Newest"], ["Older"]],
    [LIST, [], ["Older", "Newest", 'class="paging"']],
  ])("pages %#", (model, present, absent) => {
    const page = renderList(model);
    for (const text of present) expect(page).toContain(text);
    for (const text of absent) expect(page).not.toContain(text);
  });

  it.each([
    ["-time", "time", "descending", "/list?sort=time"],
    ["time", "time", "ascending", "/list"],
    ["name", "name", "ascending", "/list?sort=-name"],
    ["-name", "name", "descending", "/list?sort=name"],
    ["-size", "size", "descending", "/list?sort=size"],
    ["size", "size", "ascending", "/list?sort=-size"],
  ] as const)("says that it is sorted by %s, and turns the order round", (sort, key, order, address) => {
    const page = renderList({ ...LIST, sort });
    expect(page.match(/aria-sort/g)).toHaveLength(1);
    expect(page).toMatch(new RegExp(`aria-sort="${order}"><a class="sort" href="${address.replace("?", "\\?")}" data-sort="${key}"`));
  });

  it("keeps search and order from page to page", () => {
    const page = renderList({ ...LIST, sort: "-size", query: "x", after: "A", next: "B" });
    expect(page).toContain('href="/list?q=x&amp;sort=-size&amp;after=B">Next page');
    expect(page).toContain('href="/list?q=x&amp;sort=-size">First page');
    expect(page).toContain('<input type="hidden" name="sort" value="-size">');
    expect(page).toContain('href="/list?q=x&amp;sort=name"');
  });

  it("shows what is under way, and how far it is where that is known", () => {
    expect(renderList(LIST)).toMatch(/<section id="under-way"[^>]* hidden>/);
    const startedAt = "2026-11-22T20:00:00.000Z";
    const page = renderList({ ...LIST, underWay: [{ name: "a<b.bin", size: 4_000_000, received: 1_000_000, startedAt }, { name: "open.bin", size: null, received: 500, startedAt }] });
    expect(page).toMatch(/<section id="under-way" [^>]*under-way-title">/);
    expect(page).toContain('<progress max="1" value="0.25" aria-label="Progress of a&lt;b.bin">');
    expect(page).toContain("1\u00a0MB of 4\u00a0MB · 25% · since");
    expect(page).toContain('<progress max="1" aria-label="Progress of open.bin">');
  });

  it("counts those under way that it has no room for", () => {
    const many = Array.from({ length: 1025 }, (_, index) => ({ name: `${index}`, size: 1, received: 0, startedAt: "2026-11-22T20:00:00.000Z" }));
    const page = renderList({ ...LIST, underWay: many });
    expect(page.match(/<progress/g)).toHaveLength(20);
    expect(page).toContain("and 1005 more");
  });

  it.each([
    [{ ...LIST, uploads: [] }, "No files yet"],
    [{ ...LIST, uploads: [], query: "xyz" }, "No file matches “xyz”"],
    [{ ...LIST, uploads: [], after: "A" }, "No older files"],
  ])("says why it is empty %#", (model, sentence) => {
    const page = renderList(model);
    expect(page).toContain(sentence);
    expect(page).not.toContain("<table");
  });

  it("keeps the search in its box", () => {
    expect(renderList({ ...LIST, query: 'a"b' })).toContain('name="q" value="a&quot;b"');
  });
});

describe("renderError", () => {
  it("says what was wrong, what to do, and the request's id when there is one", () => {
    const page = renderError({ ...ERROR, requestId: "0123456789abcdef0123456789abcdef" });
    for (const text of ["Error 413", "too_large", ERROR.message, ERROR.hint, "0123456789abcdef0123456789abcdef"]) {
      expect(page).toContain(text);
    }
    expect(renderError(ERROR)).not.toContain("Request id");
  });

  it("speaks the reader's language, with the server's own words beside it where they say more", () => {
    const page = renderError({ ...ERROR, language: "de" });
    for (const text of ["<h1>Die Datei ist größer", "teilen Sie sie", `<span lang="en">${ERROR.message}</span>`]) expect(page).toContain(text);
    const plain = renderError({ ...ERROR, ...errorKinds.too_large, language: "de" });
    expect(plain).not.toContain('<span lang="en">');
    expect(renderError({ status: 418, code: "teapot", message: "Short and stout.", hint: "Pour.", language: "fr" })).toContain("<h1>Short and stout.</h1>");
  });

  it("stands alone with a style that its policy allows by hash", () => {
    const page = renderError(ERROR, { standalone: true });
    expect(page).not.toContain("/assets/");
    const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? "";
    expect(style.length).toBeGreaterThan(1000);
    expect(STANDALONE_CSP).toContain(`'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  });

  it("uses the site's assets otherwise", () => {
    expect(renderError(ERROR)).toContain('href="/assets/app.css"');
    expect(renderError(ERROR)).not.toContain("<style>");
  });
});
