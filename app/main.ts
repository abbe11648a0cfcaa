/** The service's entry: environment in, exit code out. */
import { ConfigProblems, readConfig } from "./config.ts";
import { makeLog } from "./log.ts";
import { startService } from "./server.ts";

async function main(): Promise<void> {
  // Modes are set exactly; the mask only closes the moment between making a file and setting its mode.
  process.umask(0o077);
  const config = readConfig(process.env);
  const log = makeLog(config.logLevel);
  const service = await startService(config, log);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log.info({ signal }, "stopping");
      service.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, "could not stop cleanly");
          process.exit(1);
        },
      );
    });
  }
}

main().catch((error: unknown) => {
  const text = error instanceof ConfigProblems ? error.message : `slipway service: cannot start: ${error instanceof Error ? error.message : String(error)}`;
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
