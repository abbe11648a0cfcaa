/** A line of a chart. */
export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** One direction of a chart. */
export interface AxisOptions {
  /** What it shows, with its unit. */
  readonly label: string;
  /** `log` leaves out what is not above 0. */
  readonly scale: "log" | "linear";
  /** A value as it stands at the axis. */
  readonly format: (value: number) => string;
  /** The step between ticks is a power of it (and 2 or 5 times that on linear axes with 10). @default 10 */
  readonly base?: 2 | 10;
}

export interface Chart {
  readonly title: string;
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly lines: readonly Line[];
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 84;
const RIGHT = 20;
const TOP = 44;
const BOTTOM = 56;
const MOST_TICKS = 9;
const LEGEND_LINE = 18;

/** Readable on white and on black; told apart without colours by their dashes (after Okabe and Ito, 2008). */
const STROKES = [
  { colour: "#0072b2", dash: "" },
  { colour: "#d55e00", dash: "6 3" },
  { colour: "#009e73", dash: "2 3" },
  { colour: "#cc79a7", dash: "9 3 2 3" },
];
const GREY = "#808080";

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const number = (value: number): string => String(Math.round(value * 100) / 100);

/** Ends of an axis and the values that are marked on it. */
export interface Ticks {
  readonly from: number;
  readonly to: number;
  readonly at: readonly number[];
}

function logTicks(values: readonly number[], base: number): Ticks {
  const power = (value: number): number => Math.log(value) / Math.log(base);
  // A rounding error must not add a power that no value needs.
  const first = Math.floor(power(Math.min(...values)) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(power(Math.max(...values)) - 1e-9));
  const every = Math.ceil((last - first) / (MOST_TICKS - 1));
  const powers = Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => first + i * every);
  return { from: base ** first, to: base ** last, at: powers.map((one) => base ** one) };
}

function linearTicks(values: readonly number[], base: number): Ticks {
  const most = Math.max(...values, Number.MIN_VALUE);
  const power = base ** Math.floor(Math.log(most / (MOST_TICKS - 1)) / Math.log(base));
  const step = (base === 10 ? [1, 2, 5, 10] : [1, 2]).map((factor) => factor * power).find((one) => most / one <= MOST_TICKS - 1)!;
  const count = Math.ceil(most / step - 1e-9);
  return { from: 0, to: count * step, at: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

/** Marks that take in all values; a linear axis begins at 0. */
export function ticks(values: readonly number[], { scale, base = 10 }: Pick<AxisOptions, "scale" | "base">): Ticks {
  const shown = scale === "log" ? values.filter((value) => value > 0) : values;
  const safe = shown.length > 0 ? shown : [1];
  return scale === "log" ? logTicks(safe, base) : linearTicks(safe, base);
}

/** From a value to a place between two pixels. */
function placer({ from, to }: Ticks, scale: AxisOptions["scale"], start: number, end: number): (value: number) => number {
  const at = scale === "log" ? Math.log : (value: number): number => value;
  return (value) => start + ((at(value) - at(from)) / (at(to) - at(from))) * (end - start);
}

type Place = (value: number) => number;

function grid(chart: Chart, x: Ticks, y: Ticks, placeX: Place, placeY: Place): string[] {
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  return [
    ...x.at.flatMap((value) => {
      const at = number(placeX(value));
      return [
        `<line x1="${at}" y1="${TOP}" x2="${at}" y2="${bottom}" stroke-opacity="0.25"/>`,
        `<text x="${at}" y="${bottom + 18}" text-anchor="middle">${escape(chart.x.format(value))}</text>`,
      ];
    }),
    ...y.at.flatMap((value) => {
      const at = number(placeY(value));
      return [
        `<line x1="${LEFT}" y1="${at}" x2="${right}" y2="${at}" stroke-opacity="0.25"/>`,
        `<text x="${LEFT - 8}" y="${number(placeY(value) + 4)}" text-anchor="end">${escape(chart.y.format(value))}</text>`,
      ];
    }),
    `<path d="M${LEFT} ${TOP}V${bottom}H${right}" fill="none"/>`,
    `<text x="${(LEFT + right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escape(chart.x.label)}</text>`,
    `<text transform="translate(16 ${(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(chart.y.label)}</text>`,
    `<text x="${LEFT}" y="24" font-size="15">${escape(chart.title)}</text>`,
  ];
}

function drawn(chart: Chart, line: Line, index: number, placeX: Place, placeY: Place): string[] {
  const { colour, dash } = STROKES[index % STROKES.length]!;
  const stroke = `stroke="${colour}" stroke-width="2"${dash === "" ? "" : ` stroke-dasharray="${dash}"`}`;
  const visible = line.points.filter(({ x, y }) => (chart.x.scale === "linear" || x > 0) && (chart.y.scale === "linear" || y > 0));
  const places = visible.map(({ x, y }) => ({ x: number(placeX(x)), y: number(placeY(y)) }));
  const legend = TOP + 14 + index * LEGEND_LINE;
  return [
    `<polyline points="${places.map(({ x, y }) => `${x},${y}`).join(" ")}" fill="none" ${stroke}/>`,
    ...places.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}" stroke="none"/>`),
    `<line x1="${LEFT + 12}" y1="${legend}" x2="${LEFT + 44}" y2="${legend}" ${stroke}/>`,
    `<text x="${LEFT + 52}" y="${legend + 4}">${escape(line.name)}</text>`,
  ];
}

/** A chart as an SVG document; the background is that of the page. */
export function chartSvg(chart: Chart): string {
  const points = chart.lines.flatMap((line) => line.points);
  const x = ticks(points.map((point) => point.x), chart.x);
  const y = ticks(points.map((point) => point.y), chart.y);
  const placeX = placer(x, chart.x.scale, LEFT, WIDTH - RIGHT);
  const placeY = placer(y, chart.y.scale, HEIGHT - BOTTOM, TOP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escape(chart.title)}" font-family="sans-serif" font-size="12">`,
    `<g stroke="${GREY}">`,
    `<style>text { fill: ${GREY}; stroke: none }</style>`,
    ...grid(chart, x, y, placeX, placeY),
    ...chart.lines.flatMap((line, i) => drawn(chart, line, i, placeX, placeY)),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}
