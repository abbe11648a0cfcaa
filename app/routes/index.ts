/** Which address leads where. */
import Router from "@koa/router";
import type { Middleware, Service } from "../context.ts";
import { Refusal } from "../refusal.ts";
import { assetRoute } from "./assets.ts";
import { completeRoute } from "./complete.ts";
import { fileRoute } from "./file.ts";
import { healthRoute } from "./health.ts";
import { homeRoute, listRoute } from "./pages.ts";
import { answerRoute, beginRoute, refusedRoute, settleRoute } from "./sessions.ts";
import { uploadRoute, uploadsRoute } from "./uploads.ts";

/** Every route of the service; GET routes answer HEAD as well. */
export function makeRouter(service: Service): Router {
  const router = new Router({ strict: true, sensitive: true });
  router.get("/", homeRoute(service));
  router.get("/list", listRoute(service));
  router.get("/assets/:name", assetRoute(service));
  router.get("/slipway.mjs", assetRoute(service, "slipway.mjs"));
  router.get("/api/uploads", uploadsRoute(service));
  router.get("/api/uploads/:id", uploadRoute(service));
  router.get("/files/:id", fileRoute(service));
  router.get("/healthz", healthRoute(service));
  router.post("/internal/complete", completeRoute(service));
  router.post("/internal/begin", beginRoute(service));
  router.post("/internal/answer", answerRoute(service));
  router.post("/internal/settle", settleRoute(service));
  router.post("/internal/refused", refusedRoute(service));
  return router;
}

/** Around the router: answers what no route has answered, in the one form of errors. `Allow` is set by the router. */
export const refuseUnrouted: Middleware = async (context, next) => {
  await next();
  if (context.body !== undefined && context.body !== null) return;
  if (context.status === 404) throw new Refusal("not_found");
  if (context.status === 405) throw new Refusal("method_not_allowed");
  if (context.status === 501) throw new Refusal("not_implemented");
};
