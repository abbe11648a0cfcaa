/** Bodies that nginx was told to write and has not reported on, inside this process. */
import { setTimeout } from "node:timers/promises";

export interface Writers {
  begin(session: string, requestId: string): void;
  /** A request of which nothing is known has ended already. */
  end(requestId: string): void;
  /**
   * Waits until nobody writes to a session. Whoever has not ended after {@link longestWait} may be a connection that only nginx
   * believes in, or be gone with a killed nginx: nobody waits for it again.
   */
  ended(session: string): Promise<void>;
  /** Whether nginx was told to write to a session and has not reported on it. */
  writes(session: string): boolean;
  /** A session is gone, and with it whoever was left of a killed nginx. */
  forget(session: string): void;
}

/** Milliseconds in which nginx has seen that a client is gone, if it can see it at all. */
export const longestWait = 400;

/** Milliseconds between two looks. */
const lookEvery = 10;

export function makeWriters(): Writers {
  const sessions = new Map<string, string>();
  const writing = (session: string): string[] => [...sessions].filter(([, of]) => of === session).map(([requestId]) => requestId);
  return {
    begin: (session, requestId) => void sessions.set(requestId, session),
    end: (requestId) => void sessions.delete(requestId),
    async ended(session) {
      const before = writing(session);
      const end = performance.now() + longestWait;
      while (before.some((requestId) => sessions.has(requestId)) && performance.now() < end) await setTimeout(lookEvery);
      for (const requestId of before) sessions.delete(requestId);
    },
    writes: (session) => writing(session).length > 0,
    forget(session) {
      for (const requestId of writing(session)) sessions.delete(requestId);
    },
  };
}
