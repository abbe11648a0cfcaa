import { describe, expect, it } from "vitest";
import { type Chart, chartSvg, ticks } from "../../bench/svg.ts";

const axis = { label: "bytes & more", scale: "linear", format: String } as const;
const chart = (more: Partial<Chart> = {}): Chart => ({
  title: "a < b", x: axis, y: axis, lines: [{ name: "one", points: [{ x: 0, y: 0 }, { x: 10, y: 10 }] }], ...more,
});

describe("charts", () => {
  it.each([
    [[0, 7], [0, 1, 2, 3, 4, 5, 6, 7]],
    [[3, 95], [0, 20, 40, 60, 80, 100]],
    [[0, 0.8], [0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6000000000000001, 0.7000000000000001, 0.8]],
  ])("marks %j on a linear axis", (values, at) => {
    expect(ticks(values, { scale: "linear" }).at).toEqual(at);
  });

  it("marks powers on a logarithmic axis, and takes in all values", () => {
    expect(ticks([0, 5, 900], { scale: "log" })).toEqual({ from: 1, to: 1000, at: [1, 10, 100, 1000] });
    expect(ticks([1024, 4096], { scale: "log", base: 2 })).toEqual({ from: 1024, to: 4096, at: [1024, 2048, 4096] });
    expect(ticks([2 ** 20, 2 ** 35], { scale: "log", base: 2 }).at).toHaveLength(8);
  });

  it("has marks when there is nothing to show", () => {
    expect(ticks([], { scale: "log" }).at).toEqual([1, 10]);
    expect(chartSvg(chart({ lines: [] }))).not.toContain("NaN");
  });

  it("draws a line from corner to corner", () => {
    expect(chartSvg(chart())).toContain('<polyline points="84,364 700,44" fill="none" stroke="#0072b2" stroke-width="2"/>');
  });

  it("leaves out what a logarithmic axis cannot show", () => {
    const log = { ...axis, scale: "log" } as const;
    expect(chartSvg(chart({ x: log, y: log, lines: [{ name: "one", points: [{ x: 0, y: 1 }, { x: 1, y: 1 }, { x: 10, y: 10 }] }] }))).toContain('points="84,364 700,44"');
  });

  it("says what it shows, with nothing that could break the document", () => {
    const svg = chartSvg(chart());
    expect(svg).toContain(">bytes &amp; more</text>");
    expect(svg).toContain(">a &lt; b</text>");
    expect(svg).toContain(">one</text>");
    expect(svg.match(/<(\w+)[^>]*[^/]>/g)!.length).toBe(svg.match(/<\/\w+>/g)!.length);
  });
});
