/** tus HEAD: where an upload stands. */
import type { Session } from "../../records/sessions.ts";
import type { StoreParts } from "../../store/complete.ts";
import type { Plan, SessionRequest } from "../dialect.ts";
import { findSession } from "../find.ts";
import { progressOf, recordOf, whenWriterEnds } from "../progress.ts";
import { addressOf, expiryHeader, idOf, filedHeaders } from "./answers.ts";

function lengthHeaders(session: Session): Readonly<Record<string, string>> {
  return session.total === null ? { "Upload-Defer-Length": "1" } : { "Upload-Length": String(session.total) };
}

function concatHeaders(session: Session): Readonly<Record<string, string>> {
  if (session.kind === "part") return { "Upload-Concat": "partial" };
  return session.parts.length === 0 ? {} : { "Upload-Concat": `final;${session.parts.map(addressOf).join(" ")}` };
}

export async function decideHead(store: StoreParts, request: SessionRequest): Promise<Plan> {
  const session = await findSession(store, "tus", idOf(request.path));
  return {
    kind: "answer",
    async give() {
      await whenWriterEnds(store, session);
      const progress = await progressOf(store, session);
      const record = progress.complete ? await recordOf(store, session) : null;
      return {
        status: 200,
        headers: {
          // "The response for a final upload MUST NOT contain Upload-Offset until it has been assembled."
          ...(session.state === "joining" && !progress.complete ? {} : { "Upload-Offset": String(progress.offset) }),
          ...lengthHeaders(session),
          ...concatHeaders(session),
          ...(session.metadata === "" ? {} : { "Upload-Metadata": session.metadata }),
          ...(progress.complete ? {} : expiryHeader(session)),
          ...filedHeaders(request, record),
        },
      };
    },
  };
}
