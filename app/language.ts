/** Which language a reader's pages are in: chosen by the switch and kept in a cookie, else the browser's first that fits. */
import { languageOf, preferredLanguage, type Language } from "../web/strings/languages.ts";
import type { RequestContext } from "./context.ts";

const cookieName = "slipway_language";

/** Seconds; a year. */
const keptFor = 31_536_000;

/** The language of a page; a choice in the address (`?lang=de`) is kept for later visits. */
export function readLanguage(context: RequestContext): Language {
  const chosen = languageOf([context.query["lang"] ?? ""].flat()[0] ?? "");
  if (chosen !== undefined) context.append("Set-Cookie", `${cookieName}=${chosen}; Path=/; Max-Age=${keptFor}; SameSite=Lax; Secure; HttpOnly`);
  const kept = languageOf(new RegExp(`(?:^|;\\s*)${cookieName}=([a-z]{2})(?:;|$)`).exec(context.get("Cookie"))?.[1] ?? "");
  return chosen ?? kept ?? preferredLanguage(context.get("Accept-Language"));
}
