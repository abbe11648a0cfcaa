import type { Http } from "./http.ts";

/** What the uploads to one site share. */
export interface SiteParts {
  readonly http: Http;
  /** Where it takes forms; uploads over tus go to its own address beside it. */
  readonly url: URL;
  /** @default $XDG_STATE_HOME/slipway */
  readonly stateFolder?: string;
  readonly onNote?: (text: string) => void;
}
