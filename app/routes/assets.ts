/** `GET /assets/:name`: style sheet, script and icon of the pages; `GET /slipway.mjs`: the push client, for curl -O. */
import { createHash } from "node:crypto";
import type { Middleware, Service } from "../context.ts";
import { Refusal } from "../refusal.ts";

/** @param only the one file that is served here, whatever the address says. @default the one that `:name` names */
export function assetRoute({ assets }: Service, only?: string): Middleware {
  const tags = new Map([...assets].map(([name, { body }]) => [name, `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`]));
  return async (context) => {
    const name = only ?? String(context["params"]?.name);
    const asset = assets.get(name);
    if (asset === undefined) throw new Refusal("not_found");
    // Names stay the same from version to version: a browser asks each time, and mostly gets 304.
    context.set({ "Cache-Control": "no-cache", ETag: tags.get(name) ?? "" });
    context.status = 200;
    if (context.fresh) {
      context.status = 304;
      return;
    }
    context.type = asset.type;
    context.body = asset.body;
  };
}
