/** The end of a session that is cancelled, expired or refused: its space is free at once. */
import type { Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import { removeData } from "./data.ts";

/** Key of the lock under which a session is finished or removed. */
export const lockOf = (session: Session): string => `session ${session.id}`;

/**
 * Forgets a session and frees its space. Data that parts of one file share stays while another of them needs it.
 * A request of nginx's that still writes writes to a file without a name, and is told so when it ends.
 */
export async function removeSession(store: StoreParts, session: Session): Promise<void> {
  const { sessions } = store.records;
  await store.locks.run([lockOf(session)], async () => {
    // The data goes first: a kill between leaves a session without data, which is as if nothing had arrived.
    const shared = session.fileKey !== null && (await otherUsers(store, session));
    if (!shared && session.state !== "complete") await removeData(store.paths, session.data);
    await sessions.remove(session.id);
  });
}

async function otherUsers(store: StoreParts, session: Session): Promise<boolean> {
  const parts = await store.records.sessions.partsOf(session.data);
  if (session.kind === "part") {
    if (parts.some(({ id }) => id !== session.id)) return true;
    // The last part takes the file with it.
    const file = session.fileKey === null ? null : await store.records.sessions.findFile(session.fileKey);
    if (file !== null) await store.records.sessions.remove(file.id);
    return file === null;
  }
  for (const part of parts) await store.records.sessions.remove(part.id);
  return false;
}
