const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes in the largest unit that leaves a number of at least 1: "64 KiB", "1.5 GiB". */
export function formatBytes(bytes: number): string {
  const sign = bytes < 0 ? "-" : "";
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${sign}${value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3).replace(/\.?0+$/, "")} ${UNITS[unit]}`;
}

/** Seconds with a unit that fits: "1.23 s", "4.5 ms", "120 us". */
export function formatSeconds(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  if (seconds >= 1e-3) return `${trim(seconds * 1e3)} ms`;
  return `${trim(seconds * 1e6)} us`;
}

const trim = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.?0+$/, ""));

/** A count with commas: "10,000". */
export const formatCount = (count: number): string => count.toLocaleString("en-US");

/** The verdict on a target. */
export const verdict = (met: boolean | undefined): string => (met === undefined ? "" : met ? "met" : "NOT MET");
