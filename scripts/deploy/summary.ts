import type { Target } from "./target.ts";

/** What a person needs to know once the site is up: its address, what to trust, and two ways to send a file. */
export function summary(target: Target): string {
  const { url, caFile, settings } = target;
  const push = `npm run -s push -- ${caFile === null ? "" : `--cacert ${quoted(caFile)} `}FILE ${url}${settings.upload.path}`;
  const curl = `curl ${caFile === null ? "" : `--cacert ${quoted(caFile)} `}-F file=@FILE -F terminal=yes ${url}${settings.upload.path}`;
  const lines = [
    ["site", url],
    ...(caFile === null ? [] : [["CA file", caFile]]),
    ...(settings.application === null ? [["push", push]] : []),
    ["curl", curl],
  ];
  return `${lines.map(([name, text]) => `  ${name!.padEnd(8)} ${text}`).join("\n")}\n`;
}

/** A path as a shell takes it. */
const quoted = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
