/** What every route works with. */
import type { Context, Next } from "koa";
import type { Asset } from "../web/assets.ts";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import type { StoreParts } from "./store/complete.ts";

/** The running service, as the routes see it. */
export interface Service {
  readonly config: Config;
  readonly store: StoreParts;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly log: Log;
}

/** What the first middleware leaves for the ones behind it. */
export interface RequestState {
  /** Finds the request in nginx's log and in ours. */
  requestId: string;
  log: Log;
}

export type RequestContext = Context & { state: RequestState };

export type Middleware = (context: RequestContext, next: Next) => Promise<void>;
