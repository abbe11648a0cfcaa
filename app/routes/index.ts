/** Which address leads where. */
import Router from "@koa/router";
import { PUSH_CLIENT } from "../../web/pages.ts";
import type { Middleware, RequestContext, Service } from "../context.ts";
import { Refusal } from "../refusal.ts";
import { readUploadTerms } from "../upload-terms.ts";
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
  router.get(`/${PUSH_CLIENT}`, assetRoute(service, PUSH_CLIENT));
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

const isSent = (method: string): boolean => method === "PUT" || method === "POST" || method === "PATCH";

/** `curl -T FILE https://host/` names an address that does not exist. */
function whereToSend(context: RequestContext): string {
  const { path } = readUploadTerms((name) => context.get(name));
  return `Nothing can be sent to this address; send a file with PUT to ${path.replace(/\/$/, "")}/, or a form with POST to ${path}.`;
}

/** Around the router: answers what no route has answered, in the one form of errors. `Allow` is set by the router. */
export const refuseUnrouted: Middleware = async (context, next) => {
  await next();
  if (context.body !== undefined && context.body !== null) return;
  if (context.status === 404) throw new Refusal("not_found", isSent(context.method) ? whereToSend(context) : undefined);
  if (context.status === 405) throw new Refusal("method_not_allowed");
  if (context.status === 501) throw new Refusal("not_implemented");
};
