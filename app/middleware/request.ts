/** The outermost layer: request id, one line in the log, and the one form of every error. */
import { randomBytes } from "node:crypto";
import { acceptsHtml } from "../../protocol/accept.ts";
import { errorBody, errorKinds } from "../../protocol/errors.ts";
import { renderError } from "../../web/pages.ts";
import { readLanguage } from "../language.ts";
import type { Middleware, RequestContext, Service } from "../context.ts";
import { asRefusal, type Refusal } from "../refusal.ts";

const requestIdPattern = /^[\w-]{8,64}$/;

/** The id that nginx gave the request; one of our own when there is none that can be logged. */
function readRequestId(context: RequestContext): string {
  const given = context.get("X-Request-ID");
  return requestIdPattern.test(given) ? given : randomBytes(16).toString("hex");
}

function answerError(context: RequestContext, refusal: Refusal): void {
  const { requestId } = context.state;
  const body = errorBody(refusal.code, requestId, refusal.message);
  context.status = body.error.status;
  context.set({ ...refusal.headers, "Cache-Control": "no-store" });
  context.vary("Accept");
  if (acceptsHtml(context.get("Accept"))) {
    context.type = "text/html; charset=utf-8";
    context.body = renderError({ ...body.error, requestId, language: readLanguage(context) });
  } else {
    context.body = body;
  }
}

function logError(context: RequestContext, refusal: Refusal): void {
  const { status } = errorKinds[refusal.code];
  const entry = { code: refusal.code, reason: refusal.message, ...(refusal.cause === undefined ? {} : { err: refusal.cause }) };
  if (status >= 500) context.state.log.error(entry, "request failed");
  else context.state.log.info(entry, "request refused");
}

/** Gives the request its id and log, answers whatever is thrown, and logs the answer. */
export function handleRequest(service: Service): Middleware {
  return async (context, next) => {
    const started = performance.now();
    const requestId = readRequestId(context);
    context.state = { requestId, log: service.log.child({ requestId }) };
    try {
      await next();
    } catch (error) {
      const refusal = asRefusal(error);
      logError(context, refusal);
      answerError(context, refusal);
    }
    const quiet = context.path === "/healthz" && context.status < 400;
    context.state.log[quiet ? "debug" : "info"](
      {
        method: context.method,
        path: context.path,
        status: context.status,
        milliseconds: Math.round(performance.now() - started),
        remoteAddress: context.get("X-Real-IP") || context.req.socket.remoteAddress,
      },
      "request",
    );
  };
}
