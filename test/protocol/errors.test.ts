import { expect, it } from "vitest";
import { errorBody, errorKinds } from "../../protocol/errors.ts";
import { nginxErrors } from "../../protocol/nginx-errors.ts";

const kinds = Object.entries(errorKinds);

it.each(kinds)("%s has a status of an error and two whole sentences", (_code, kind) => {
  expect(kind.status).toBeGreaterThanOrEqual(400);
  expect(kind.status).toBeLessThan(600);
  for (const sentence of [kind.message, kind.hint]) expect(sentence).toMatch(/^[A-Z].{10,}\.$/);
});

it("says nothing twice", () => {
  const messages = kinds.map(([, kind]) => kind.message);
  expect(new Set(messages).size).toBe(messages.length);
});

it("has an answer for every status that nginx makes by itself", () => {
  const statuses = [400, 403, 404, 405, 408, 411, 413, 414, 415, 416, 421, 429, 494, 495, 496, 497, 500, 501, 502, 503, 504, 507];
  expect(statuses.filter((status) => !nginxErrors.has(status))).toEqual([]);
});

it("answers nginx's statuses as they are, and its internal ones with 400", () => {
  for (const [status, code] of nginxErrors) expect(errorKinds[code].status).toBe(status >= 494 && status <= 497 ? 400 : status);
});

it("writes the body of an answer", () => {
  expect(errorBody("too_large", "abc", "9 bytes; at most 8.")).toEqual({
    error: { code: "too_large", status: 413, message: "9 bytes; at most 8.", hint: errorKinds.too_large.hint, requestId: "abc" },
  });
});

it("leaves the request id out of static pages", () => {
  expect(errorBody("not_found").error).not.toHaveProperty("requestId");
});
