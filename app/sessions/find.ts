/** Sessions by the address that the client has of them. */
import { isId } from "../../protocol/id.ts";
import type { DialectName, Session } from "../records/sessions.ts";
import { Refusal } from "../refusal.ts";
import type { StoreParts } from "../store/complete.ts";
import { joinedOther } from "./finish.ts";
import { endOf } from "./life.ts";

/**
 * The session of an id.
 * @throws {Refusal} `not_found`, `upload_expired` when its time is over, or `digest_mismatch` when its parts were joined
 * to something else than had been announced
 */
export async function findSession(store: StoreParts, dialect: DialectName, id: string): Promise<Session> {
  const session = isId(id) ? await store.records.sessions.find(id) : null;
  if (session === null || session.dialect !== dialect) throw new Refusal("not_found", "There is no upload at this address; it was finished long ago, cancelled, or never begun.");
  if (session.refused) throw joinedOther();
  // The upkeep removes it: a request is decided on twice, and must be refused for the same reason.
  const now = new Date().toISOString();
  if (session.state !== "receiving" || session.expiresAt > now) return session;
  const expiresAt = await endOf(store, session);
  if (expiresAt <= now) throw new Refusal("upload_expired");
  return { ...session, expiresAt };
}
