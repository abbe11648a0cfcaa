/** Of an answer to OPTIONS at `/tus/`: the path that the site takes forms at, and PUT below it. HTTP has no word for it. */
export const uploadPathHeader = "Slipway-Upload-Path";

/** What the header says; `undefined` for anything but a path of the same site. */
export function readUploadPath(text: string): string | undefined {
  return /^\/(?!\/)[\w./~-]*$/.test(text) ? text : undefined;
}
