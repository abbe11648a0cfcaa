/** tus DELETE: an upload is given up (termination). */
import type { StoreParts } from "../../store/complete.ts";
import type { Plan, SessionRequest } from "../dialect.ts";
import { findSession } from "../find.ts";
import { partsBeingJoined } from "../join.ts";
import { removeSession } from "../remove.ts";
import { idOf } from "./answers.ts";

export async function decideDelete(store: StoreParts, request: SessionRequest): Promise<Plan> {
  const session = await findSession(store, "tus", idOf(request.path));
  return {
    kind: "answer",
    async give() {
      // Parts of a file that is being joined go by themselves, when it is there.
      const isJoined = session.kind === "part" && (await partsBeingJoined(store)).has(session.id);
      if (!isJoined) await removeSession(store, session);
      return { status: 204 };
    },
  };
}
