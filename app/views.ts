/** Records as they are shown. */
import type { UploadView } from "../web/model.ts";
import type { UploadRecord } from "./records/records.ts";

/** A record without what is nobody's business outside: paths, addresses, request ids. */
export function viewOf(record: UploadRecord): UploadView {
  return {
    id: record.id,
    name: record.name,
    size: record.size,
    contentType: record.contentType,
    checksums: record.checksums,
    description: record.description,
    completedAt: record.completedAt,
    state: record.state,
  };
}
