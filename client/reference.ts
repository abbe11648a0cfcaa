/** The page docs/reference/push.md, out of the tables of options and exit codes. */
import { exitCodes } from "./exit-codes.ts";
import { environment, groups, type Option, optionRows, spelled } from "./options.ts";

/** Text of a table's cell: a pipe would end it. */
const cell = (text: string): string => text.replaceAll("|", "\\|");

function optionLine(row: readonly [string, Option]): string {
  const [, { help, otherwise, repeatable }] = row;
  return `| \`${spelled(row)}\` | ${cell(otherwise ?? "")} | ${cell(help)}${repeatable === true ? "; may be repeated" : ""} |`;
}

const optionTables = Object.entries(groups)
  .map(([group, title]) => {
    const lines = optionRows.filter(([, row]) => row.group === group).map(optionLine);
    return `### ${title}\n\n${["| option | default | what it does |", "|---|---|---|", ...lines].join("\n")}`;
  })
  .join("\n\n");

const table = (head: string, rows: readonly (readonly [string, string])[]): string =>
  [head, "|---|---|", ...rows.map(([name, text]) => `| ${name} | ${cell(text)} |`)].join("\n");

/** What the tables do not say. */
const guide = `# slipway push

Sends files and folders to a site and checks that they arrived whole. The site serves it as one file, for any machine
with Node 20 or newer; in a checkout it is \`npm run -s push --\` or \`npx slipway push\`.

\`\`\`sh
curl -O https://host/slipway.mjs
node slipway.mjs push big.dat run-17/ https://host/
tar c . | node slipway.mjs push --name data.tar - https://host/
node slipway.mjs push --manifest SHA256SUMS https://host/
\`\`\`

The last argument is the site (\`https://host/\`) or the upload address that its page shows; a site refuses the command with
any other. An application of the site's own takes forms at whatever address you give. With a CA of the site's own, curl and push both take
\`--cacert ca.pem\`.

## What is sent

- **A folder** is sent with all that is in it. Names keep the folders, as in \`run-17/raw/0001.h5\`; the site shows and
  records them, and stores each file by its id. As with rsync, \`run-17/\` leaves out the folder's own name. Empty folders
  are not sent.
- **Links, pipes, sockets and devices** in a folder are reported and not sent. A link that is named on the command line
  is followed.
- **What cannot be read** is known before the first byte is sent, and stops the run; \`--skip-unreadable\` sends the
  others, and the exit code still says that something is missing.
- **\`--include\` and \`--exclude\`**: a pattern without a slash is held against each name of a path, one with a slash
  against the path below the folder that is sent. \`cache/\` means folders alone.
- **Standard input** goes alone, as \`-\`, and needs \`--name\`. It cannot go on after a cut of the client itself: what was
  read is gone.

## Going on

The same command again goes on where the last one stopped, after Ctrl-C, a kill or a reboot: a file that was under way at
the site's offset, and files that had arrived are left out as long as they have not changed (\`--again\` sends them). When
a run has ended with every file at the site, that memory goes: the next run sends all of them. It lies in
\`$XDG_STATE_HOME/slipway\`. A \`note\` says of each file that goes on how much of it the site had already; speeds count
only what was sent now.

**A file that has changed since it was partly sent is refused**, as the site would have a mixture of two files: the error
says whether size or modification time is another, and how much the site keeps. The other files of the run go, and the
exit code is 6. Nothing is lost by it: when the file is put back with the size and time that it had, the same command goes
on. \`--restart\` sends such files anew from the start, and frees what the site has of them first; those that have not
changed go on. When the site has nothing of the file any more, it is sent from the start, and a \`note\` says so. A file
that changes *while* it is sent fails, and what the site has of it is given up. None of this is about files that go in one
request, of up to 512 KiB, unless they were larger when they were begun.

A power cut is like a kill to a file of 8 MiB or more under way: what is noted of it is flushed to the disk. What is
noted of smaller files, and of those that have arrived, the system writes when it likes, within half a minute as a rule;
files whose note was lost are sent again, and one that had arrived is at the site twice then.

## Digests

The client computes SHA-256 while it sends, and fails a file whose digest at the site differs. \`--manifest SHA256SUMS\`
announces the digests that the files should have: the site refuses a file with other bytes, and keeps nothing of it, so a
file that rotted on the client's disk is found as well. Files that the manifest does not list are sent as usual.
\`--write-manifest\` writes the digests of what arrived, for \`sha256sum -c\`.

## Streams and files at once

With \`auto\`, files of less than 16 MiB on average go sixteen at a time on connections that are kept. Larger ones go two at
a time; each of them has a connection for every 64 MiB, up to four. More streams help on a line with a long way and some
loss, and cost a little on a short one.

## Token

A site behind an authenticating proxy may want a token; it goes as \`Authorization: Bearer\`. It comes from
\`--token-file\` (\`<(pass show site)\` works), from \`--ask-token\`, or from SLIPWAY_TOKEN, never from the command line,
which every user of the machine can read. It is not sent over plain http, but to the own machine.`;

/** The whole page. */
export function renderPushReference(): string {
  return `${guide}

## Options

${optionTables}

## Environment

${table("| variable | what it says |", environment)}

## Exit codes

${table("| code | meaning |", Object.entries(exitCodes))}

When files fail for one reason alone, the code is that reason's; when for several, 1.

## Output

Files that arrived are told on stdout, all else on stderr. On a terminal some lines at the bottom show the whole, the
files under way, the speed of the last seconds and what is left; elsewhere nothing is redrawn. \`--json\` prints one object
a line on stdout: a file that goes on (\`file\`, \`resumed\`: bytes that the site had already, \`size\`), one that arrived
(\`file\`, \`ok\`, \`id\`, \`name\`, \`size\`, \`resumed\`, \`sha256\`, \`checked\`, \`ms\`), one that failed (\`file\`, \`ok\`, \`error\` with
\`kind\`, \`code\`, \`status\`, \`message\`, \`hint\`; with \`code\` \`changed_since\` also \`kept\`: bytes that the site keeps of the
file as it was), one that was left out (\`file\`, \`skipped\`), a \`note\`, and at the end a
\`summary\`. A site that cannot be reached is one \`error\` without a file, not one for each. So is one that goes away
in the middle, or has no room for a small file: what it does not take is tried again for about a minute, and when the site
then answers nothing at all, the run ends with that line, with how many files arrived, and with how to go on. Its exit
code is 4 or 7.

## Completion

\`\`\`sh
source <(slipway completion bash)       # zsh likewise
slipway completion fish | source
\`\`\`

They complete the word \`slipway\`: \`alias slipway='node /path/to/slipway.mjs'\`, or a file of that name in the PATH.

This page is made from \`client/options.ts\`, \`client/exit-codes.ts\` and \`client/reference.ts\` by \`npm run reference\`.
`;
}
