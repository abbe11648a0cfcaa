/**
 * Parts that do not say where in a file they lie are put together after the answer: copied one behind the other, and
 * digested on the way, since digests of parts do not add up to that of the whole.
 */
import { open } from "node:fs/promises";
import type { Checksums } from "../../protocol/checksum.ts";
import type { Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import { dataPath } from "./data.ts";
import { eachChunk, RunningDigests } from "./digest-file.ts";
import { finishSession, settled } from "./finish.ts";
import { recordOf } from "./progress.ts";
import { removeSession } from "./remove.ts";

async function copyParts(store: StoreParts, session: Session, parts: readonly Session[]): Promise<Checksums> {
  const digests = new RunningDigests(session.digests);
  // Begun anew when it was interrupted.
  const target = await open(dataPath(store.paths, session.data), "w", store.fileMode);
  try {
    // Nobody has made a file for a part of no bytes.
    for (const part of parts.filter(({ total }) => total !== 0)) {
      const source = await open(dataPath(store.paths, part.data));
      try {
        await eachChunk(source, async (bytes) => {
          digests.update(bytes);
          await target.writeFile(bytes);
        });
      } finally {
        await source.close();
      }
    }
  } finally {
    await target.close();
  }
  return digests.end();
}

/** Joins a session's parts and files the result; the parts go when it is there. */
export async function joinParts(store: StoreParts, session: Session): Promise<void> {
  const { sessions } = store.records;
  await store.locks.run([`join ${session.id}`], async () => {
    const current = await sessions.find(session.id);
    if (current === null || current.refused === true || current.state === "complete") return;
    const found = await Promise.all(session.parts.map((id) => sessions.find(id)));
    const parts = found.filter((part) => part !== null);
    const record = await recordOf(store, session);
    if (record !== null) {
      await settled(store, session, record.size);
    } else if (parts.length < session.parts.length) {
      // Nobody removes parts of a file that is being joined: they were lost.
      await removeSession(store, session);
      store.log.error({ session: session.id }, "gave up a file whose parts are gone");
      return;
    } else {
      const checksums = await copyParts(store, session, parts);
      await finishSession(store, session, { size: session.total ?? 0, checksums }, 0);
    }
    for (const part of parts) await removeSession(store, part);
  });
}

/** Ids of the parts that are being put together: they are not the client's any more, and not to be removed. */
export async function partsBeingJoined(store: StoreParts): Promise<ReadonlySet<string>> {
  const open = await store.records.sessions.open();
  return new Set(open.filter(({ state }) => state === "joining").flatMap(({ parts }) => parts));
}

/** Joins in the background; what goes wrong is logged, and tried again by the upkeep. */
export function startJoin(store: StoreParts, session: Session): void {
  joinParts(store, session).catch((error: unknown) => store.log.error({ err: error, session: session.id }, "parts could not be joined"));
}
