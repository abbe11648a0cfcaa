/** Records as they are shown. */
import type { UploadView } from "../web/model.ts";
import type { UploadRecord } from "./records/records.ts";

/** A record without what is nobody's business outside: paths, addresses, request ids. */
export function viewOf(record: UploadRecord): UploadView {
  return {
    id: record.id,
    name: record.name,
    folder: record.folder,
    size: record.size,
    contentType: record.contentType,
    checksums: record.checksums,
    description: record.description,
    completedAt: record.completedAt,
    state: record.state,
  };
}

/** What a program is told of its upload; the first file stands at the top as well. */
export function completionAnswer(records: readonly UploadRecord[]): object {
  const uploads = records.map(({ id, name, folder, size, checksums, field, description, completedAt }) => {
    return { id, name, folder, size, checksums, field, description, completedAt };
  });
  const [first] = uploads;
  return {
    message: "Upload Complete",
    id: first?.id,
    name: first?.name,
    size: first?.size,
    checksums: first?.checksums,
    description: first?.description,
    uploads,
  };
}
