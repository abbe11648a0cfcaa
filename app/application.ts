/** The layers of a request, from the outside in. */
import Koa from "koa";
import type { Service } from "./context.ts";
import { requireSecret, securityHeaders } from "./middleware/guard.ts";
import { handleRequest } from "./middleware/request.ts";
import { makeRouter, refuseUnrouted } from "./routes/index.ts";

export function makeApplication(service: Service): Koa {
  const application = new Koa();
  const router = makeRouter(service);
  // Errors that come after the answer has begun: a connection that broke off.
  application.on("error", (error: unknown) => service.log.warn({ err: error }, "the answer could not be sent"));
  application.use(handleRequest(service));
  application.use(securityHeaders);
  application.use(requireSecret(service.config.secret));
  application.use(refuseUnrouted);
  application.use(router.routes());
  application.use(router.allowedMethods());
  return application;
}
