/** A table: the head, then the rows; numbers and their like stand at the right. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that stand at the left. @default the first */
  readonly left?: readonly number[];
}

function widths({ head, rows }: Table): number[] {
  return head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
}

function lines(table: Table): string[][] {
  const width = widths(table);
  const left = table.left ?? [0];
  return [table.head, ...table.rows].map((row) => width.map((size, i) => (left.includes(i) ? (row[i] ?? "").padEnd(size) : (row[i] ?? "").padStart(size))));
}

/** The table for a terminal. */
export function textTable(table: Table): string {
  const [head = [], ...rows] = lines(table);
  const rule = head.map((cell) => "-".repeat(cell.length));
  return [head, rule, ...rows].map((row) => `${row.join("  ").trimEnd()}\n`).join("");
}

/** The table in Markdown. */
export function markdownTable(table: Table): string {
  const escaped = { ...table, rows: table.rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|"))) };
  const [head = [], ...rows] = lines(escaped);
  const left = table.left ?? [0];
  const rule = head.map((cell, i) => (left.includes(i) ? "-".repeat(Math.max(3, cell.length)) : `${"-".repeat(Math.max(2, cell.length - 1))}:`));
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");
}
