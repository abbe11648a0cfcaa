import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeHtml, html, trusted } from "../../web/html.ts";

describe("escapeHtml", () => {
  it.each([
    ["<script>", "&lt;script&gt;"],
    [`" onload="x`, "&quot; onload=&quot;x"],
    ["it's `so`", "it&#39;s &#96;so&#96;"],
    ["&amp;", "&amp;amp;"],
    ["a\u0000b\u001bc\u0085d", "a\ufffdb\ufffdc\ufffdd"],
    ["tab\tline\nend", "tab\tline\nend"],
    ["\u{1f4c4} Ünïcode", "\u{1f4c4} Ünïcode"],
  ])("%j becomes %j", (text, expected) => {
    expect(escapeHtml(text)).toBe(expected);
  });

  it("leaves nothing that opens a tag, closes a quote or starts an entity of its own", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(escapeHtml(text).replace(/&(amp|lt|gt|quot|#39|#96);/g, "")).not.toMatch(/[<>"'`&\u0000]/);
      }),
    );
  });
});

describe("html", () => {
  it("escapes values and keeps the template", () => {
    expect(html`<b title="${'"'}">${"<"}</b>`.text).toBe('<b title="&quot;">&lt;</b>');
  });

  it("prints HTML as it is, and lists one after another", () => {
    const items = ["a", "&"].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}</ul>`.text).toBe("<ul><li>a</li><li>&amp;</li></ul>");
    expect(html`<style>${trusted("a > b {}")}</style>`.text).toBe("<style>a > b {}</style>");
  });

  it("prints nothing for what is not there, and zero as a number", () => {
    expect(html`${null}${undefined}${false}${true}|${0}`.text).toBe("|0");
  });

  it("escapes an object that only looks like HTML", () => {
    const fake = { text: "<script>" } as unknown as string;
    expect(html`${fake}`.text).not.toContain("<script>");
  });
});
