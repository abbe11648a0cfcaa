/** A request with a body, whose answer may come before the body is out. */
import type { ClientRequest } from "node:http";
import { type Answer, answerOf } from "./http.ts";

/** What ends a connection that nothing is heard on. */
export const silent = (ms: number): Error => Object.assign(new Error(`nothing was heard for ${ms / 1000} s`), { code: "ETIMEDOUT" });

/**
 * Sends a body and takes the answer.
 * @param silenceMs silence after which the connection counts as dead
 * @param write sends the body and ends the request, or stops once it has its answer
 * @throws what broke the connection before there was an answer
 */
export async function exchange(request: ClientRequest, silenceMs: number, write: (isAnswered: () => boolean) => Promise<void>): Promise<Answer> {
  request.setTimeout(silenceMs, () => request.destroy(silent(silenceMs)));
  const answered = answerOf(request);
  let early: Answer | undefined;
  answered.then((answer) => (early = answer), () => undefined);
  try {
    await write(() => early !== undefined);
    return await answered;
  } catch (error) {
    // The site has answered before it had all and closed the connection: what it said is what counts.
    if (early !== undefined) return early;
    throw error;
  } finally {
    // A connection with half a body on it is of no use for the next request.
    if (!request.writableFinished) request.destroy();
  }
}
