/** `GET /api/uploads` and `GET /api/uploads/:id`. */
import { isId } from "../../protocol/id.ts";
import type { Middleware, Service } from "../context.ts";
import { readListQuery, readStateQuery } from "../query.ts";
import type { UploadRecord } from "../records/records.ts";
import { Refusal } from "../refusal.ts";
import { readCounted } from "../sessions/counted.ts";
import { listReceiving } from "../sessions/list.ts";
import { viewOf } from "../views.ts";

/**
 * A complete upload.
 * @throws {Refusal} `not_found`
 */
export async function findComplete(service: Service, id: string | undefined): Promise<UploadRecord> {
  const record = id !== undefined && isId(id) ? await service.store.records.find(id) : null;
  if (record === null || record.state !== "complete") throw new Refusal("not_found", "There is no upload with this id.");
  return record;
}

export function uploadsRoute(service: Service): Middleware {
  return async (context) => {
    context.set("Cache-Control", "no-store");
    if (readStateQuery(context.query) === "receiving") {
      context.body = { uploads: await listReceiving(service.store, await readCounted(context.req)), next: null };
      return;
    }
    const { records, next } = await service.store.records.list(readListQuery(context.query));
    context.body = { uploads: records.map(viewOf), next };
  };
}

export function uploadRoute(service: Service): Middleware {
  return async (context) => {
    context.body = viewOf(await findComplete(service, context["params"]?.id));
    context.set("Cache-Control", "no-store");
  };
}
