/** Style that every page has; a standalone error page has no other. */
export const BASE_CSS = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --surface: #ffffff; --line: #dde1e5; --line-strong: #7d8791;
  --text: #1b2126; --quiet: #59636d;
  --accent: #0b6670; --accent-strong: #084e56; --accent-soft: #e4f1f2; --on-accent: #ffffff;
  --bad: #a92a20; --bad-soft: #fcefed;
  --radius: 10px; --radius-small: 6px;
  --mono: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121619; --surface: #1a1f23; --line: #2f373d; --line-strong: #75818b;
    --text: #e6eaed; --quiet: #9aa6b0;
    --accent: #5fc3cc; --accent-strong: #8ad9e0; --accent-soft: #17323a; --on-accent: #08262a;
    --bad: #f2938a; --bad-soft: #38201e;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); }
h1, h2, p, ul, pre { margin: 0; }
h1 { font-size: 1.625rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; text-wrap: balance; }
h2 { font-size: 1.0625rem; line-height: 1.35; font-weight: 650; }
a { color: var(--accent); text-underline-offset: 0.18em; text-decoration-thickness: 1px; }
a:hover { color: var(--accent-strong); text-decoration-thickness: 2px; }
code, pre { font-family: var(--mono); font-size: 0.875em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: var(--radius-small); }
main:focus { outline: none; }
[hidden] { display: none !important; }
.visually-hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: 0.5rem 0.75rem; background: var(--surface); border-radius: var(--radius-small); }
.skip:focus { top: 0.5rem; }
.bar { background: var(--surface); border-bottom: 1px solid var(--line); }
.bar-inner, main { width: min(100% - 2rem, 66rem); margin-inline: auto; }
.bar-inner { display: flex; align-items: center; gap: 1.5rem; min-height: 3.5rem; flex-wrap: wrap; }
.site { color: var(--text); font-weight: 650; text-decoration: none; overflow-wrap: anywhere; }
.site:hover { color: var(--accent-strong); }
.bar nav { display: flex; gap: 0.25rem; }
.bar nav:first-child { margin-inline-start: -0.75rem; }
.bar nav a { padding: 0.375rem 0.75rem; border-radius: var(--radius-small); color: var(--quiet); text-decoration: none; }
.languages { margin-inline-start: auto; font-size: 0.875rem; }
.bar nav a:hover { color: var(--text); background: var(--ground); }
.bar nav a[aria-current] { color: var(--accent-strong); background: var(--accent-soft); }
main { padding-block: 2.5rem 4rem; }
.lead { margin-top: 0.5rem; color: var(--quiet); max-width: 42rem; }
.quiet { color: var(--quiet); font-weight: 400; }
.small { font-size: 0.875rem; }
.card { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); }
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 2.75rem; padding: 0.25rem 1.125rem; border: 1px solid var(--line-strong); border-radius: var(--radius-small); background: transparent; color: var(--text); font: inherit; font-weight: 550; text-decoration: none; cursor: pointer; }
.button:hover { color: var(--accent-strong); border-color: var(--accent); background: var(--accent-soft); }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.button.primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); color: var(--on-accent); }
.button.plain { justify-content: flex-start; border-color: transparent; color: var(--accent); }
.button.plain:hover { border-color: transparent; background: var(--accent-soft); }
.button.small { min-height: 2rem; padding: 0.125rem 0.75rem; font-size: 0.875rem; }
/* As wide as "Copied", so that nothing moves when the button says so. */
.button.small.plain { min-width: 4.5rem; padding-inline: 0.5rem; }
.error-card { max-width: 42rem; padding: clamp(1.25rem, 4vw, 2.5rem); margin-inline: auto; overflow-wrap: anywhere; }
.error-status { margin-bottom: 0.75rem; color: var(--bad); font-weight: 650; }
.error-status .quiet { margin-left: 0.5rem; font-family: var(--mono); font-size: 0.875rem; }
.error-card p + .small { margin-top: 1.25rem; }
.error-links { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-top: 1.75rem; }
@media (max-width: 40rem) {
  main { padding-block: 1.5rem 3rem; }
  .bar-inner { gap: 0 1rem; padding-block: 0.25rem; }
  .languages { margin-inline: -0.75rem 0; }
  h1 { font-size: 1.375rem; }
}
`;
