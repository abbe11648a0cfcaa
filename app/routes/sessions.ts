/** `/internal/begin`, `answer`, `settle` and `refused`: nginx asks about uploads whose bodies are files or pieces of files. */
import { nginxErrors, segmentErrors } from "../../protocol/nginx-errors.ts";
import { readWrittenForm } from "../../protocol/written-body.ts";
import type { Middleware, RequestContext, Service } from "../context.ts";
import { readForm } from "../form.ts";
import { Refusal } from "../refusal.ts";
import { corsHeaders } from "../sessions/cors.ts";
import type { Dialect, DialectAnswer, SessionRequest, WritePlace } from "../sessions/dialect.ts";
import { dialectOf } from "../sessions/dialects.ts";
import { removeLeftover, removeUnknown } from "../sessions/remove.ts";
import { readSessionRequest } from "../sessions/request.ts";

/** Sets what every answer of a dialect has; errors thrown later keep it. */
function listen(context: RequestContext): { readonly request: SessionRequest; readonly dialect: Dialect } {
  const request = readSessionRequest(context);
  const dialect = dialectOf(request);
  const origins = context.get("X-Slipway-Cors-Origins").split(" ").filter((origin) => origin !== "");
  context.set({ ...dialect.headers(request), ...corsHeaders(dialect, request, origins), "X-Request-ID": request.requestId });
  return { request, dialect };
}

function answer(context: RequestContext, { status, headers = {}, body }: DialectAnswer): void {
  context.set(headers);
  context.status = status;
  // Koa takes an empty body for "no content" and changes the status unless it is set after it.
  context.body = body ?? "";
  context.status = status;
}

/** Headers that nginx takes its variables from. */
function placeHeaders(place: WritePlace): Readonly<Record<string, string>> {
  return {
    "X-Slipway-Session": place.session ?? "",
    "X-Slipway-Data": place.data ?? "",
    "X-Slipway-Offset": place.data === null ? "" : String(place.offset),
    "X-Slipway-Length": place.length === null ? "" : String(place.length),
    "X-Slipway-Digest": place.digest ?? "",
  };
}

/** Whether a body is to be written, and where: 204. Everything else, refusals included, is 403, and asked for again at `answer`. */
export function beginRoute(service: Service): Middleware {
  return async (context) => {
    const request = readSessionRequest(context);
    try {
      const plan = await dialectOf(request).decide(service.store, request);
      if (plan.kind === "write") {
        const place = await plan.open();
        if (place.session !== null) service.store.writers.begin(place.session, request.requestId);
        context.set(placeHeaders(place));
        context.status = 204;
        return;
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    context.status = 403;
    context.body = "";
    context.status = 403;
  };
}

/** Answers a request whose body is not written. */
export function answerRoute(service: Service): Middleware {
  return async (context) => {
    const { request, dialect } = listen(context);
    const plan = await dialect.decide(service.store, request);
    // Between the two questions another request has changed the upload, so that this one could go on now.
    if (plan.kind === "write") throw new Refusal("taken_over");
    answer(context, await plan.give());
  };
}

/** Takes note of a body that nginx has written, whole or cut off, and answers. */
export function settleRoute(service: Service): Middleware {
  return async (context) => {
    const { request, dialect } = listen(context);
    const form = readWrittenForm(await readForm(context.req), request.terms.checksums);
    const session = form.session === "" ? null : await service.store.records.sessions.find(form.session);
    if (form.session !== "" && session === null) await removeLeftover(service.store, form.path);
    try {
      answer(context, await dialect.written(service.store, request, session, form));
    } finally {
      service.store.writers.end(request.requestId);
      if (form.outcome === "aborted" && dialect.creates(request)) await removeUnknown(service.store, form.session);
    }
    context.state.log.info({ session: form.session, outcome: form.outcome, offset: form.offset }, "body written");
  };
}

const isSegment = (request: SessionRequest): boolean => request.path === request.terms.path && `${request.header("Session-ID")}${request.header("X-Session-ID")}` !== "";

/** Answers for nginx when it refuses a body that it has begun to read. */
export function refusedRoute(service: Service): Middleware {
  return async (context) => {
    const { request, dialect } = listen(context);
    service.store.writers.end(request.requestId);
    if (dialect.creates(request)) await removeUnknown(service.store, context.get("X-Slipway-Session"));
    await removeLeftover(service.store, context.get("X-Slipway-Data"));
    if (context.get("X-Slipway-Outcome") === "mismatch") throw new Refusal(dialect.mismatch(request));
    const status = Number(context.get("X-Slipway-Status"));
    throw new Refusal((isSegment(request) ? segmentErrors : nginxErrors).get(status) ?? "internal");
  };
}
