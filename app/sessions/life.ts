/**
 * When an upload ends of which nothing comes any more. Its row says so as of the last body that has ended; a body that
 * is under way may last longer than the site waits, so its bytes are looked at before anything is given up.
 */
import type { Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import { dataPath, modifiedAt } from "./data.ts";

/** When an upload would end by its own bytes: those of parts with a place are bytes of the one file. */
async function ownEnd({ paths }: StoreParts, { data, createdAt, expireAfter }: Session): Promise<number> {
  const path = dataPath(paths, data);
  return Math.max(Date.parse(createdAt), await modifiedAt(path), await modifiedAt(`${path}.state`)) + expireAfter * 1000;
}

/**
 * When a part without a place ends. Only its client knows what it will be a part of, so it waits for all parts that
 * the same address had begun before this one would have ended by itself; not for later ones, which might have no end.
 */
async function endWithOthers(store: StoreParts, session: Session, own: number): Promise<number> {
  if (session.remoteAddress === null) return own;
  const others = (await store.records.sessions.partsFrom(session.remoteAddress)).filter(({ createdAt }) => Date.parse(createdAt) <= own);
  return Math.max(own, ...(await Promise.all(others.map((other) => ownEnd(store, other)))));
}

/** When an upload ends if nothing more comes: ISO 8601, UTC. */
export async function endOf(store: StoreParts, session: Session): Promise<string> {
  if (session.state !== "receiving" || session.expireAfter === 0) return session.expiresAt;
  const own = await ownEnd(store, session);
  const end = session.kind === "part" && session.fileKey === null ? await endWithOthers(store, session, own) : own;
  return new Date(Math.max(end, Date.parse(session.expiresAt))).toISOString();
}
