import { describe, expect, it } from "vitest";
import { BASE_CSS } from "../../web/style/base.ts";

type Palette = Readonly<Record<string, string>>;

function palettes(): { readonly light: Palette; readonly dark: Palette } {
  const blocks = [...BASE_CSS.matchAll(/:root \{([^}]*)\}/g)].map((match) => match[1] ?? "");
  const [light = {}, dark = {}] = blocks.map((block) =>
    Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1], match[2]])) as Palette,
  );
  return { light, dark };
}

/** Relative luminance of a colour, WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const TEXT_MIN = 4.5;
const CONTROL_MIN = 3;

describe.each(Object.entries(palettes()))("%s colours (WCAG 2.2 AA)", (_name, palette) => {
  const colour = (name: string): string => {
    const value = palette[name];
    if (value === undefined) throw new Error(`--${name}: not in the palette`);
    return value;
  };

  it.each([
    ["text", "ground"],
    ["text", "surface"],
    ["text", "accent-soft"],
    ["text", "bad-soft"],
    ["quiet", "ground"],
    ["quiet", "surface"],
    ["quiet", "accent-soft"],
    ["quiet", "bad-soft"],
    ["accent", "ground"],
    ["accent", "surface"],
    ["accent", "accent-soft"],
    ["accent-strong", "accent-soft"],
    ["on-accent", "accent"],
    ["on-accent", "accent-strong"],
    ["bad", "surface"],
  ])("%s can be read on %s", (text, ground) => {
    expect(contrast(colour(text), colour(ground))).toBeGreaterThanOrEqual(TEXT_MIN);
  });

  it.each([
    ["line-strong", "surface"],
    ["line-strong", "ground"],
    ["accent", "line"],
  ])("%s is told from %s (edges of fields and buttons, the bar)", (edge, ground) => {
    expect(contrast(colour(edge), colour(ground))).toBeGreaterThanOrEqual(CONTROL_MIN);
  });
});
