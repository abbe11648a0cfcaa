import { dirname, join } from "node:path";
import { type Argv, run } from "../../scripts/core/run.ts";
import { NotAvailable } from "../contestant.ts";
import { installNodeRivals } from "../rivals.ts";
import type { SiteReady } from "../servers/site.ts";

/** Puts a command line where it is to run. */
export type At = (argv: Argv) => Argv;

/** A program that sends a file to a site. */
export interface Uploader {
  readonly tool: string;
  /** Connections for one file. */
  readonly streams: number;
  /** The command line, made outside the measured time. @throws NotAvailable when it cannot be run here */
  command(site: Pick<SiteReady, "url" | "caFile">, file: string, at: At): Promise<Argv>;
}

/** How an uploader stands in tables. */
export const uploaderName = ({ tool, streams }: Pick<Uploader, "tool" | "streams">): string => (streams === 1 ? tool : `${tool}, ${streams} streams`);

/** One request, by the transport that curl chooses. */
const curl: Uploader = {
  tool: "curl -T",
  streams: 1,
  command: async ({ url, caFile }, file) => ["curl", "-sS", "--fail", "-o", "/dev/null", "-H", "Expect:", "--cacert", caFile, "-T", file, `${url}/upload/`],
};

const curlHttp1: Uploader = {
  ...curl,
  tool: "curl --http1.1 -T",
  command: async (site, file, at) => {
    const [program, ...args] = await curl.command(site, file, at);
    return [program, "--http1.1", ...args];
  },
};

const tusJsClient = (streams: number): Uploader => ({
  tool: "tus-js-client",
  streams,
  command: async ({ url, caFile }, file) => ["env", `NODE_EXTRA_CA_CERTS=${caFile}`, process.execPath, join(await installNodeRivals(), "tus-client.mjs"), file, `${url}/tus/`, `${streams}`],
});

/**
 * Our own client, as the site serves it, up to its options.
 * @param work folder for the program, and for what it keeps of uploads that were cut
 * @throws NotAvailable when the site serves none
 */
export async function slipwayArgv({ url, caFile }: Pick<SiteReady, "url" | "caFile">, work: string, at: At = (argv) => argv): Promise<Argv> {
  const program = join(work, "slipway.mjs");
  const got = await run(at(["curl", "-sS", "--fail", "--cacert", caFile, "-o", program, `${url}/slipway.mjs`]));
  if (!got.ok) throw new NotAvailable(`the site serves no slipway.mjs: ${got.stderr.trim()}`);
  return ["env", `XDG_STATE_HOME=${work}`, process.execPath, program, "push", "--quiet", "--cacert", caFile];
}

const push = (streams: number): Uploader => ({
  tool: "slipway push",
  streams,
  command: async (site, file, at) => [...(await slipwayArgv(site, dirname(file), at)), "--streams", `${streams}`, file, site.url],
});

/** Everyone who sends one file, in the order of the table. */
export const uploaders: readonly Uploader[] = [curl, curlHttp1, tusJsClient(1), tusJsClient(8), ...[1, 2, 4, 8].map(push)];
