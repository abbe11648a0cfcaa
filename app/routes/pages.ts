/** `GET /` and `GET /list`. */
import { renderHome, renderList } from "../../web/pages.ts";
import type { Middleware, RequestContext, Service } from "../context.ts";
import { readLanguage } from "../language.ts";
import { readListQuery, readNewIds } from "../query.ts";
import { readUploadTerms } from "../upload-terms.ts";
import { viewOf } from "../views.ts";

function page(context: RequestContext, html: string): void {
  context.type = "text/html; charset=utf-8";
  context.set("Cache-Control", "no-store");
  context.body = html;
}

export function homeRoute({ config }: Service): Middleware {
  return async (context) => {
    const { path, tusPath, maxFileSize, checksums } = readUploadTerms((name) => context.get(name));
    page(context, renderHome({ language: readLanguage(context), siteName: config.siteName, uploadPath: path, tusPath, maxFileSize, checksums }));
  };
}

export function listRoute(service: Service): Middleware {
  return async (context) => {
    const query = readListQuery(context.query);
    const { records, next } = await service.store.records.list(query);
    page(
      context,
      renderList({
        language: readLanguage(context),
        siteName: service.config.siteName,
        uploads: records.map(viewOf),
        next,
        query: query.text,
        newIds: readNewIds(context.query),
        after: query.after,
      }),
    );
  };
}
