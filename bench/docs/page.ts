import type { Report } from "../report.ts";
import { AXES } from "../suites/growth.ts";
import { formatBytes, formatCount } from "../summary/format.ts";
import { filesNotes, filesTable } from "../summary/files.ts";
import { growthNotes, growthTable } from "../summary/growth.ts";
import { linkCheckTable, linkNotes, linkTable } from "../summary/link.ts";
import { latencyTable, loadTable, scaleNotes } from "../summary/scale.ts";
import { speedNotes, speedTable } from "../summary/speed.ts";
import { markdownTable } from "../table.ts";
import { chartsOf } from "./charts.ts";
import { linkCharts } from "./link-charts.ts";

const INTRODUCTION = `# The benchmark

\`npm run bench\` measures the upload module beside other ways to take an upload, on one machine in one run. This page
is written by \`npm run bench -- --suite SUITE --write-docs\`; the numbers with every single timing are in the JSON files
beside it. \`npm run bench -- --help\` lists all options.

How it is measured:

- The client is curl, over loopback. The time is that of the whole curl process, by a clock of our own; the processor
  time is that of the server's processes alone.
- Every stored file is compared byte for byte with what was sent.
- A server has one worker. nginx and the module have buffers of 1 MiB unless it says otherwise;
  over HTTP/2 the module has a window of 4 MiB, as a site has.
- All take part in each round, in another order each time. The first round does not count; the numbers are medians of
  the others. What waits for the disk is written before each upload.
- Free memory is held by a process of its own meanwhile, but for a page in every 2 MiB: virtual machines that hand free
  memory back to their host would otherwise take one or four seconds for the same upload.
- Only ratios within one run say anything. A ratio is the median of those within each round; "interval" is where the
  true one lies with a chance of 94 % or more (sign test), which with six rounds is often wider than what a target asks.

The sink is what an upload cannot do without: a program in C that receives and writes 1 MiB at a time in one thread,
with a digest or without. "sync" means that the file is on the disk before the answer.
`;

function machineLine({ machine, rounds, held }: Report): string {
  const { cpu, cores, memoryBytes, kernel, distribution, nginx, openssl, curl, node, date } = machine;
  const what = `${cpu}, ${cores} cores, ${formatBytes(memoryBytes)}, ${distribution}, Linux ${kernel}, nginx ${nginx}, OpenSSL ${openssl}, curl ${curl}, Node ${node}`;
  return `${date.slice(0, 10)}; ${what}. ${rounds} rounds. ${held === null ? "The free memory was not held: a first look, not numbers." : `Free memory: ${held}.`}\n`;
}

const list = (lines: readonly string[]): string => (lines.length === 0 ? "" : `\n${lines.map((line) => `- ${line}\n`).join("")}`);

function linkSection(report: Extract<Report, { suite: "link" }>): string {
  const { rateMbit, roundTripMs, queueBytes, lossPpm } = report.link;
  return `## Over a long line that loses packets

One file to a whole site, over a line of ${rateMbit} Mb/s between two network namespaces: ${roundTripMs} ms there and back, ${lossPpm / 1e4} % of the
packets lost in each direction (seeded: all clients meet the same losses in a round), a queue of ${formatBytes(queueBytes)} before the
line. bench/link.c carries the packets between two TUN devices. The time is that of the whole process of the client.

"Sender" is the congestion control of the client's kernel. cubic, which most systems have, takes each loss for a jam:
the speed of one connection is bound by losses and round trips, not by the line, and so it gets a smaller file. bbr
bears losses; what holds one connection back there is the kernel's send buffer, ${report.buffers.send} (least, first, most; net.ipv4.tcp_wmem),
and the receive buffer, ${report.buffers.receive} (tcp_rmem): the kernel's own settings, as they were. What the kernel
learned of a connection is not kept for the next (tcp_no_metrics_save). Ratios are speeds in the first row's.
All rounds count. tus-js-client's parallel parts are put together after its last answer, which is not in its time;
slipway push has the file, its SHA-256 compared, at the end of its time. ${machineLine(report)}
${linkCharts(report).map(({ title, file }) => `![${title}](${file})\n`).join("\n")}
${markdownTable(linkTable(report))}
The line itself, before anything is measured: one TCP connection that carries nothing but bytes, from curl to the sink.

${markdownTable(linkCheckTable(report))}${list(linkNotes(report))}`;
}

function section(report: Report): string {
  switch (report.suite) {
    case "speed":
      return `## Speed

One upload of ${formatBytes(report.sizeBytes)} at a time. Who is compared with several has a row for each. A site, with TLS, SHA-256 and all
bytes on the disk before it answers, is held against other people's servers too (http/...): those are measured without
TLS. ${machineLine(report)}
${markdownTable(speedTable(report))}${list(speedNotes(report))}`;
    case "close":
      return `## Where a few percent decide

The same with ${formatBytes(report.sizeBytes)} and many rounds, for those alone whose target is within a tenth of another's time.
${machineLine(report)}
${markdownTable(speedTable(report))}${list(speedNotes(report))}`;
    case "scale":
      return `## Scale

Many uploads at once, each on a connection of its own, beside one upload of the same total. "Files alone" is the time
that a program takes which only writes the same files. The sink takes one connection after the other; sink and nginx
alone get the file as it is, we a form. ${machineLine(report)}
${markdownTable(loadTable(report))}
A small GET, again and again on one connection, beside uploads with SHA-256:

${markdownTable(latencyTable(report))}${list(scaleNotes(report))}`;
    case "growth": {
      const charts = chartsOf(report);
      const parts = AXES.filter((axis) => charts.some((chart) => chart.axis === axis)).map((axis) => {
        const pictures = charts.filter((chart) => chart.axis === axis).map(({ title, file }) => `![${title}](${file})\n`);
        return `${pictures.join("\n")}\n${markdownTable(growthTable(report, axis))}`;
      });
      return `## How cost grows

Time against the size of the file has two logarithmic axes: what grows in proportion is a straight line there too. The
exponent is that of the line from the point before; 1 is in proportion, below it a fixed cost prevails. ${machineLine(report)}
${parts.join("\n")}${list(growthNotes(report))}`;
    }
    case "link":
      return linkSection(report);
    case "files":
      return `## Many small files

A folder of ${formatCount(report.count)} files of ${formatBytes(report.bytesEach)} over loopback, as the whole process of the client takes. curl and slipway push send
to a whole site: TLS, SHA-256, each file and its record on the disk before its answer. u2c sends to copyparty, without
TLS. Ratios are speeds in the first row's. "Files without a server" is a program in C that only writes them, without
sync. ${machineLine(report)}
${markdownTable(filesTable(report))}${list(filesNotes(report))}`;
  }
}

/** docs/benchmark/README.md: one section for each report. */
export const benchmarkPage = (reports: readonly Report[]): string => [INTRODUCTION, ...reports.map(section)].join("\n");
