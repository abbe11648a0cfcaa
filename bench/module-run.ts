import { buildModule } from "../images/module-build.ts";
import { type OursSettings, oursServer } from "./contestants/ours.ts";
import { retireFiles, settleDisk } from "./ground.ts";
import { type RunningNginx, startNginx } from "./nginx.ts";
import { peakBytes, resetPeak, residentBytes } from "./proc.ts";
import type { Session } from "./session.ts";

/** Runs something against a new nginx with our module, so that no run finds memory that another one left behind. */
export async function withModule<T>(session: Session, settings: OursSettings, body: (nginx: RunningNginx, store: string) => Promise<T>): Promise<T> {
  const place = await session.ground.place("ours");
  const nginx = await startNginx({ group: "http", server: oursServer(settings, place), module: await buildModule({ sanitize: false }) }, place);
  session.cleanup.add(() => nginx.stop());
  try {
    return await body(nginx, place.store);
  } finally {
    await nginx.stop();
    await retireFiles(place.store);
  }
}

/**
 * How far the worker's resident memory rises above what it was, bytes. What waits for the disk is written before.
 */
export async function withPeak<T>({ worker }: Pick<RunningNginx, "worker">, body: () => Promise<T>): Promise<{ readonly result: T; readonly peakBytes: number }> {
  await settleDisk();
  resetPeak(worker);
  const idle = residentBytes(worker);
  const result = await body();
  return { result, peakBytes: Math.max(0, peakBytes(worker) - idle) };
}
