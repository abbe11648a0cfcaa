import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSite, SiteProblems } from "../../../stacks/settings.ts";
import { anyText, hostileText, stringPlaces } from "../../helpers/arbitraries.ts";
import type { StringPlace } from "../../helpers/arbitraries.ts";
import { synthesize } from "../../helpers/synth.ts";

/** The expressions that the constructs write themselves: references to their own resources. */
const OWN_EXPRESSION = /^\$\{(?:docker_(?:image|network)\.site_[a-z_-]+_[0-9A-F]{8}\.name|\(?\(?docker_image\.[^"{}]* == "unnamed"\)?(?: \|\| \(docker_image\.[^"{}]* == "unnamed"\)\))?)\}$/;

/** Every string of a value, keys included: Terraform reads templates in both. */
function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  if (typeof value === "object" && value !== null) return Object.entries(value).flatMap(([key, member]) => [key, ...strings(member)]);
  return [];
}

const foreignExpressions = (value: unknown): string[] =>
  strings(value).filter((text) => /[$%]\{/.test(text) && !OWN_EXPRESSION.test(text));

function accepted(place: StringPlace, text: string): boolean {
  try {
    checkSite(place.site(text));
    return true;
  } catch (error) {
    if (error instanceof SiteProblems) return false;
    throw error;
  }
}

it("knows the constructs' own expressions", () => {
  const stack = synthesize({});
  expect(strings(stack).filter((text) => text.includes("${")).length).toBeGreaterThan(4);
  expect(foreignExpressions(stack)).toEqual([]);
});

it("would see a prop that broke out", () => {
  expect(foreignExpressions({ a: ['x${file("/etc/passwd")}'], "%{ if true }": 1 })).toHaveLength(2);
});

describe.each(stringPlaces.map((place) => [place.title, place] as const))("no text of %s", (_, place) => {
  it("becomes an expression of Terraform's", () => {
    fc.assert(
      fc.property(anyText(place), (text) => {
        if (!accepted(place, text)) return;
        expect(foreignExpressions(synthesize(place.site(text)))).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it("with an opening of an expression is accepted", () => {
    fc.assert(
      fc.property(hostileText(place), fc.constantFrom("${", "%{"), (text, opening) => {
        expect(accepted(place, `${text}${opening}`)).toBe(false);
        expect(accepted(place, `${place.sentinel}${opening}x}`)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });
});
