import { writeFile } from "node:fs/promises";

const BOUNDARY = "slipway-benchmark-boundary";

/** What every file of a form of many files holds. */
export const SMALL_FILE = "a few bytes, so that it is the parts that cost and not the data";

export const formContentType = `multipart/form-data; boundary=${BOUNDARY}`;

/** Which parts a form has many of. */
export type PartKind = "files" | "fields";

function part(kind: PartKind, number: number): string {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="part${number}"`;
  return kind === "files" ? `${head}; filename="${number}.txt"\r\nContent-Type: text/plain\r\n\r\n${SMALL_FILE}\r\n` : `${head}\r\n\r\nvalue ${number}\r\n`;
}

/** Writes the body of a form with so many parts to a file. */
export async function writeForm(file: string, kind: PartKind, count: number): Promise<void> {
  const parts = Array.from({ length: count }, (_, i) => part(kind, i));
  await writeFile(file, `${parts.join("")}--${BOUNDARY}--\r\n`);
}
