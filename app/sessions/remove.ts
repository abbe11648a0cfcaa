/** The end of a session that is cancelled, expired or refused: its space is free at once. */
import { basename } from "node:path";
import type { Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import { dataOf, removeData, spelledPath } from "./data.ts";

/** Key of the lock under which a session is finished or removed. */
export const lockOf = (session: Session): string => `session ${session.id}`;

/** Key of the lock under which parts of a client's file come and go: the last of them takes the file with it. */
export const lockOfFile = (fileKey: string): string => `file ${fileKey}`;

/**
 * Forgets a session and frees its space. Data that parts of one file share stays while another of them needs it.
 * A request of nginx's that still writes writes to a file without a name, and is told so when it ends.
 * @param mayGo asked when nobody else finishes or removes the session any more, with what it is then
 */
export async function removeSession(store: StoreParts, known: Session, mayGo: (session: Session) => Promise<boolean> = async () => true): Promise<void> {
  const { sessions } = store.records;
  await store.locks.run([lockOf(known), ...(known.fileKey === null ? [] : [lockOfFile(known.fileKey)])], async () => {
    const session = (await sessions.find(known.id)) ?? known;
    if (!(await mayGo(session))) return;
    // The data goes first: a kill between leaves a session without data, which is as if nothing had arrived.
    const shared = session.fileKey !== null && (await otherUsers(store, session));
    const own = !shared && session.state !== "complete";
    if (own) await removeData(store.paths, session.data);
    await sessions.remove(session.id);
    // A request that ended between the two has made data anew, and found the session still there.
    if (own) await removeData(store.paths, session.data);
    store.writers.forget(session.id);
  });
}

/**
 * Removes a session whose first request has failed: nginx passes no interim answer on, so nobody knows its address.
 * A part with a place stays: its client names the file, and what came of it counts for the next part there.
 */
export async function removeUnknown(store: StoreParts, id: string): Promise<void> {
  const session = id === "" ? null : await store.records.sessions.find(id);
  if (session !== null && session.state === "receiving" && session.fileKey === null) await removeSession(store, session);
}

async function otherUsers(store: StoreParts, session: Session): Promise<boolean> {
  const parts = await store.records.sessions.partsOf(session.data);
  if (session.kind === "part") {
    if (parts.some(({ id }) => id !== session.id)) return true;
    // The last part takes the file with it.
    const file = session.fileKey === null ? null : await store.records.sessions.findFile(session.fileKey);
    // A part that is removed twice may find a newer file of the same name.
    if (file === null || file.data !== session.data) return true;
    await store.records.sessions.remove(file.id);
    return false;
  }
  for (const part of parts) {
    await store.records.sessions.remove(part.id);
    store.writers.forget(part.id);
  }
  return false;
}

/**
 * Removes what a request of nginx's has made anew when its session was removed after it was let in. To be called when
 * the request has ended.
 * @param path of the data, as nginx spells it; of anything but sessions' data nothing is removed
 */
export async function removeLeftover(store: StoreParts, path: string): Promise<void> {
  const { sessions } = store.records;
  const owner = basename(path);
  const data = dataOf(owner);
  if (owner === "" || path !== spelledPath(store.paths, data)) return;
  if ((await sessions.find(owner)) === null && (await sessions.partsOf(data)).length === 0) await removeData(store.paths, data);
}
