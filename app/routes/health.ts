/** `GET /healthz`: whether an upload could be completed now. */
import type { Middleware, Service } from "../context.ts";
import { asRefusal } from "../refusal.ts";
import { probeStore } from "../store/probe.ts";
import { version } from "../version.ts";

/** Milliseconds that a result stays good: anybody may ask, and each check writes to the disk. */
const freshFor = 1000;

interface Health {
  readonly healthy: boolean;
  readonly version: string;
  readonly checks: Readonly<Record<"database" | "store", "ok" | string>>;
}

async function check(service: Service, name: string, work: Promise<void>): Promise<"ok" | string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    service.log.error({ err: error, check: name }, "health check failed");
    return asRefusal(error).code;
  }
}

async function examine(service: Service): Promise<Health> {
  const database = await check(service, "database", service.store.records.probe());
  const store = await check(service, "store", probeStore(service.store.paths));
  return { healthy: database === "ok" && store === "ok", version, checks: { database, store } };
}

export function healthRoute(service: Service): Middleware {
  let last: { readonly at: number; readonly health: Promise<Health> } | undefined;
  return async (context) => {
    const now = performance.now();
    if (last === undefined || now - last.at >= freshFor) last = { at: now, health: examine(service) };
    const { healthy, ...rest } = await last.health;
    context.status = healthy ? 200 : 503;
    context.set("Cache-Control", "no-store");
    context.body = { status: healthy ? "ok" : "unhealthy", ...rest };
  };
}
