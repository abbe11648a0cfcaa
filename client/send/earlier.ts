/** What an earlier run began of a file, held against the file as it is now and against what the site still has. */
import { bytes } from "../display.ts";
import { failure } from "./answer.ts";
import { type Identity, isAsBefore } from "./local-file.ts";
import { Patience } from "./retry.ts";
import type { SiteParts } from "./site-parts.ts";
import { type FileOptions, SendError, type Source } from "./source.ts";
import type { Begun, BegunSegment, UploadState } from "./state.ts";
import { isGone, type Standing, Tus } from "./tus.ts";

/** A file that may have been begun. */
export interface Now {
  readonly site: SiteParts;
  readonly source: Source;
  readonly identity: Identity;
  readonly state: UploadState;
}

/** An upload that goes on, and where those of its segments stand that the site has. */
export interface Earlier {
  readonly begun: Begun;
  readonly known: ReadonlyMap<BegunSegment, Standing>;
}

/**
 * The upload of an earlier run, when it can go on: the file is the same, whatever the site still has of it.
 * @param tus asks as long as this file is to be sent
 * @throws {SendError} of kind `changed` when the file is another and the site has bytes of the one before; nothing is touched then
 */
export async function takeUp(now: Now, tus: Tus, { streams, restart }: FileOptions, signal: AbortSignal): Promise<Earlier | undefined> {
  const { site, source, identity, state } = now;
  const before = await state.read();
  if (before === undefined) return undefined;
  const anew = async (why: string): Promise<undefined> => {
    site.onNote?.(`${source.name} ${why}`);
    await giveUp(now, before);
  };
  if (!before.segments.every(({ url }) => url === null || new URL(url).origin === site.url.origin)) {
    await state.forget();
    site.onNote?.(`${source.name} was begun at another address; it is sent from the start`);
    return undefined;
  }
  const isSame = isAsBefore(before.identity, identity);
  if (!isSame && restart === true) return anew("has changed since it was partly sent; it is sent anew, and what the site had of it is removed");
  const known = await standingsOf(tus, before, Math.max(1, streams), signal);
  // Another inode or device, as after a restore or a reboot, is what is looked at from now on.
  if (isSame) return { begun: { ...before, identity }, known };
  const standings = [...known.values()];
  if (standings.some(({ record }) => record !== undefined)) return anew("has changed since it was sent whole; it is sent as a new file");
  const kept = standings.reduce((sum, { offset }) => sum + offset, 0);
  if (kept === 0) return anew("has changed since it was partly sent, and the site has nothing of that any more; it is sent from the start");
  throw changedSince(before.identity, identity, kept);
}

/** Where the segments stand that have an address; those that the site has no more lose it, and are begun anew in their turn. */
async function standingsOf(tus: Tus, { segments }: Begun, lanes: number, signal: AbortSignal): Promise<ReadonlyMap<BegunSegment, Standing>> {
  const known = new Map<BegunSegment, Standing>();
  const open = segments.filter(({ url }) => url !== null);
  const ask = async (segment: BegunSegment): Promise<void> => {
    try {
      const standing = await new Patience(signal).run(() => tus.standing(new URL(segment.url ?? "")));
      known.set(segment, standing);
      segment.done &&= standing.offset === segment.length;
    } catch (error) {
      if (!isGone(error)) throw error;
      segment.url = null;
      segment.done = false;
    }
  };
  const lane = async (): Promise<void> => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) await ask(next);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, open.length) }, lane));
  return known;
}

const time = (ms: number): string => new Date(ms).toISOString();

function changedSince(before: Identity, now: Identity, kept: number): SendError {
  const what = before.size === now.size
    ? `its modification time was ${time(before.mtime)} and is ${time(now.mtime)}`
    : `its size was ${before.size} bytes and is ${now.size}`;
  const message = `has changed since it was partly sent: ${what}; the site keeps ${bytes(kept)} of the ${bytes(before.size)}`;
  const hint = "put the file back as it was, its modification time too, and it goes on; or add --restart to send it anew";
  return new SendError({ ...failure("changed", "changed_since", null, message, hint), kept });
}

/** Frees what the site has of an upload, and forgets it; also when all else was stopped. */
export async function giveUp({ site, state }: Pick<Now, "site" | "state">, { segments }: Begun): Promise<void> {
  const tus = new Tus(site.http, site.url);
  for (const { url } of segments) if (url !== null) await tus.cancel(new URL(url));
  await state.forget();
}
