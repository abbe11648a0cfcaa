import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./problem.ts";
import { get, type SiteAddress } from "./site-client.ts";

const POLL_MS = 100;

/** Whether the site answers as a healthy one: nginx takes HTTPS and the service can write. */
export interface Health {
  readonly healthy: boolean;
  /** What the last question came to, for people. */
  readonly text: string;
}

/**
 * Asks once. A site with its own service must say 200 at /healthz; of an application's site only nginx is asked:
 * that it answers HTTPS at all, whatever the application says.
 */
export async function checkHealth(site: SiteAddress, hasService: boolean): Promise<Health> {
  try {
    const { status, body } = await get(site, hasService ? "/healthz" : "/");
    const healthy = hasService ? status === 200 : status < 502;
    return { healthy, text: healthy ? `answers ${status}` : `answers ${status}: ${body.slice(0, 200).trim()}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { healthy: false, text: code === "ECONNREFUSED" ? `nothing listens at ${site.address}:${site.port}` : message };
  }
}

/**
 * Waits until the site is healthy.
 * @throws Problem with the last answer after `timeoutMs`; whatever `mustGoOn` throws, at once
 */
export async function waitForHealth(site: SiteAddress, hasService: boolean, timeoutMs: number, mustGoOn: () => void = () => undefined): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    mustGoOn();
    const { healthy, text } = await checkHealth(site, hasService);
    if (healthy) return;
    if (performance.now() > end) throw new Problem(`site: not healthy after ${timeoutMs / 1000} s, got "${text}"; npm run doctor looks for the cause`);
    await sleep(POLL_MS);
  }
}
