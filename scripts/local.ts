import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadProps } from "../stacks/load-site.ts";
import { stderrLog } from "./core/log.ts";
import { thisMachine } from "./core/machine.ts";
import { runMain } from "./core/main.ts";
import { Problem } from "./core/problem.ts";
import { withOverrides } from "./local/overrides.ts";
import { startLocalSite, type LocalSite } from "./local/site.ts";
import { hashOfProps, removeLocalState, writeLocalState } from "./local/state.ts";
import { localSteps } from "./steps/all.ts";
import { runSteps } from "./steps/step.ts";

const USAGE = `npm run local -- [options]    the site as processes of this host, until Ctrl-C
  --port N         HTTPS port (default 8443)
  --http-port N    port that redirects to HTTPS (default: none)
  --root DIR       keeps everything below DIR (default: a temporary folder, removed at the end)
  --set KEY=VALUE  replaces a setting of the site, e.g. --set upload.maxFileSize=20g; may be repeated;
                   a list as JSON: --set 'upload.checksums=["sha256","md5"]'`;

const OPTIONS = {
  port: { type: "string", default: "8443" },
  "http-port": { type: "string" },
  root: { type: "string" },
  set: { type: "string", multiple: true },
  state: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/**
 * Until the command is told to end. Told again it goes on with ending: a Ctrl-C comes from the terminal, and once more
 * from npm or tsx, which pass on what they get.
 */
function untilTold(): Promise<undefined> {
  return new Promise((resolveTold) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolveTold(undefined));
  });
}

/** Until a part of the site ends by itself. */
function untilDied(site: LocalSite): Promise<Problem> {
  return new Promise((resolveEnd) => {
    for (const part of [site.nginx, ...(site.service === undefined ? [] : [site.service])]) {
      part.onUnexpectedExit(({ code, signal }) =>
        resolveEnd(new Problem(`${part.spec.name}: ended by itself, with ${signal ?? code}; its last lines:\n${part.lastLines()}`)),
      );
    }
  });
}

function port(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65535) throw new Problem(`--${name}: not a port, got "${text}"; use 1 to 65535`);
  return value;
}

await runMain(async () => {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const machine = thisMachine();
  await runSteps(localSteps(machine), stderrLog);
  const start = performance.now();
  const props = await loadProps();
  // From here on, so that a site that is only half up is taken down again too.
  const told = untilTold();
  const folder = process.env["INIT_CWD"] ?? process.cwd();
  const site = await startLocalSite({
    site: withOverrides(props, values.set ?? []),
    httpsPort: port("port", values.port),
    ...(values["http-port"] === undefined ? {} : { httpPort: port("http-port", values["http-port"]) }),
    ...(values.root === undefined ? {} : { root: resolve(folder, values.root) }),
    machine,
  });
  const end = Promise.race([told, untilDied(site)]);
  stderrLog({ kind: "made", name: "site", text: `${site.url} is up`, ms: performance.now() - start });
  const { caFile, pids } = site;
  process.stdout.write(`${site.url}\n`);
  if (caFile !== undefined) process.stderr.write(`      CA file ${caFile}\n`);
  process.stderr.write(`      data and logs ${site.root}\n      npm run -s push -- ${caFile === undefined ? "" : `--cacert ${caFile} `}FILE ${site.url}\n`);
  if (values.state !== undefined) {
    await writeLocalState(values.state, {
      pid: process.pid,
      props: hashOfProps(props),
      pids: { nginx: pids.nginx ?? null, service: pids.service ?? null },
      url: site.url, port: site.address.port, caFile: caFile ?? null, root: site.root, store: site.store,
    });
  }
  const problem = await end;
  stderrLog({ kind: "begin", name: "site", text: "stopping; uploads in flight may finish" });
  if (values.state !== undefined) await removeLocalState(values.state);
  await site.stop();
  if (problem !== undefined) throw problem;
});
