/** Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload) over the sessions of the service. */
import type { Dialect, SessionRequest } from "../dialect.ts";
import { Refusal } from "../../refusal.ts";

export function isResumable(request: SessionRequest): boolean {
  return request.header("Upload-Complete") !== "";
}

export const resumable: Dialect = {
  headers: () => ({}),
  exposed: [],
  decide: async () => {
    throw new Refusal("not_implemented");
  },
  written: async () => {
    throw new Refusal("not_implemented");
  },
  refused: (_request, refusal) => refusal,
};
