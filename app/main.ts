/** The service's entry: environment in, exit code out. */
import { ConfigProblems, readConfig } from "./config.ts";
import { type Log, makeLog } from "./log.ts";
import { type RunningService, startService } from "./server.ts";

async function main(): Promise<void> {
  // Modes are set exactly; the mask only closes the moment between making a file and setting its mode.
  process.umask(0o077);
  const config = readConfig(process.env);
  const log = makeLog(config.logLevel);
  const service = startService(config, log);
  // Before the service listens: whoever waits for that may stop it at once.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(signal, service, log));
  await service;
}

/** Ends the process: 0 when everything that ran has finished. */
async function stop(signal: string, service: Promise<RunningService>, log: Log): Promise<never> {
  log.info({ signal }, "stopping");
  try {
    await (await service).stop();
    process.exit(0);
  } catch (error) {
    log.error({ err: error }, "could not stop cleanly");
    process.exit(1);
  }
}

main().catch((error: unknown) => {
  const text = error instanceof ConfigProblems ? error.message : `slipway service: cannot start: ${error instanceof Error ? error.message : String(error)}`;
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
