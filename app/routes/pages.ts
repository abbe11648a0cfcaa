/** `GET /` and `GET /list`. */
import { createHash } from "node:crypto";
import { renderHome, renderList } from "../../web/pages.ts";
import type { Middleware, RequestContext, Service } from "../context.ts";
import { readLanguage } from "../language.ts";
import { readListQuery, readNewIds } from "../query.ts";
import { readUploadTerms } from "../upload-terms.ts";
import { readCounted } from "../sessions/counted.ts";
import { listReceiving } from "../sessions/list.ts";
import { viewOf } from "../views.ts";

/** An open list asks for itself every few seconds: mostly it has not changed, and 304 is all (RFC 9110, 13.1.2). */
function pageWithTag(context: RequestContext, html: string): void {
  const tag = createHash("sha256").update(html).digest("base64url").slice(0, 27);
  page(context, html);
  context.set({ "Cache-Control": "private, no-cache", ETag: `W/"${tag}"`, Vary: "Cookie, Accept-Language" });
  // Not Koa's own comparison: a script that sends a tag sends no-cache with it, which means something else there.
  if (!context.get("If-None-Match").includes(`"${tag}"`)) return;
  context.status = 304;
}

function page(context: RequestContext, html: string): void {
  context.type = "text/html; charset=utf-8";
  context.set("Cache-Control", "no-store");
  context.body = html;
}

export function homeRoute({ config }: Service): Middleware {
  return async (context) => {
    const { path, tusPath, maxFileSize, checksums } = readUploadTerms((name) => context.get(name));
    page(context, renderHome({ language: readLanguage(context), siteName: config.siteName, uploadPath: path, tusPath, maxFileSize, checksums, host: context.get("X-Forwarded-Host") }));
  };
}

export function listRoute(service: Service): Middleware {
  return async (context) => {
    const query = readListQuery(context.query);
    const { records, next } = await service.store.records.list(query);
    const isFirst = query.after === null && query.text === "";
    pageWithTag(
      context,
      renderList({
        language: readLanguage(context),
        siteName: service.config.siteName,
        uploads: records.map(viewOf),
        next,
        query: query.text,
        newIds: readNewIds(context.query),
        after: query.after,
        ...(query.sort === undefined ? {} : { sort: query.sort }),
        underWay: isFirst ? await listReceiving(service.store, await readCounted(context.req)) : [],
      }),
    );
  };
}
