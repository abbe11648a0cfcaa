/** tus DELETE: an upload is given up (termination). */
import type { StoreParts } from "../../store/complete.ts";
import type { Plan, SessionRequest } from "../dialect.ts";
import { findSession } from "../find.ts";
import { cancelJoin, cancelPart } from "../join.ts";
import { removeSession } from "../remove.ts";
import { idOf } from "./answers.ts";

export async function decideDelete(store: StoreParts, request: SessionRequest): Promise<Plan> {
  const session = await findSession(store, "tus", idOf(request.path));
  return {
    kind: "answer",
    async give() {
      if (session.kind === "joined") await cancelJoin(store, session);
      else if (session.kind === "part") await cancelPart(store, session);
      else await removeSession(store, session);
      return { status: 204 };
    },
  };
}
