/** Who may talk to the service, and what a browser may do with its answers. */
import { createHash, timingSafeEqual } from "node:crypto";
import { PAGE_CSP } from "../../web/pages.ts";
import type { Middleware } from "../context.ts";
import { Refusal } from "../refusal.ts";

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Lets only nginx in, which knows the secret; the health check needs none. */
export function requireSecret(secret: string): Middleware {
  const expected = digest(secret);
  return async (context, next) => {
    if (context.path !== "/healthz" && !timingSafeEqual(digest(context.get("X-Slipway-Secret")), expected)) {
      throw new Refusal("forbidden");
    }
    await next();
  };
}

/** Headers of every answer; a route may set a stricter policy. */
export const securityHeaders: Middleware = async (context, next) => {
  context.set({
    "Content-Security-Policy": PAGE_CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
  });
  await next();
};
