import { describe, expect, it } from "vitest";
import { ATTEMPTS, isLasting, mayPass, Patience, waitMs } from "../../client/send/retry.ts";
import { Refused } from "../../client/send/tus.ts";

describe("trying again", () => {
  it.each([[400, false], [401, false], [403, false], [404, false], [410, false], [413, false], [507, false], [408, true], [409, true], [429, true], [502, true], [503, true]])(
    "after %d: %s",
    (status, again) => expect(mayPass(status)).toBe(again),
  );

  it.each([["PROXY", true], ["ENOTFOUND", true], ["DEPTH_ZERO_SELF_SIGNED_CERT", true], ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", true], ["ECONNRESET", false], ["ECONNREFUSED", false]])(
    "%s lasts: %s",
    (code, lasts) => expect(isLasting(code)).toBe(lasts),
  );

  it("doubles the wait up to 30 s, half of it random", () => {
    expect([1, 2, 3, 20].map((failures) => waitMs(failures, undefined, 1))).toEqual([250, 500, 1000, 30_000]);
    expect(waitMs(1, undefined, 0)).toBe(125);
  });

  it("waits as long as Retry-After asks, within limits", () => {
    expect(waitMs(1, "7", 1)).toBe(7000);
    expect(waitMs(1, new Date(60_000).toUTCString(), 1, 50_000)).toBe(10_000);
    expect(waitMs(1, "86400", 1)).toBe(300_000);
    expect(waitMs(1, "soon", 1)).toBe(250);
  });

  const refused = (status: number, after = "0"): Refused => new Refused({ status, headers: { "retry-after": after }, body: "" });
  const cut = (): Error => Object.assign(new Error("cut"), { code: "ECONNRESET" });

  /** Runs attempts that fail with these errors, one after the other, and then work. @returns how many there were */
  async function attempts(errors: readonly Error[], signal = new AbortController().signal): Promise<{ tried: number; ended: unknown }> {
    let tried = 0;
    const ended = await new Patience(signal).run(async () => {
      const error = errors[tried++];
      if (error !== undefined) throw error;
      return "done";
    }).catch((error: unknown) => error);
    return { tried, ended };
  }

  it("tries again after a cut and after what passes, never after what does not", async () => {
    expect(await attempts([cut(), refused(503)])).toEqual({ tried: 3, ended: "done" });
    const lasting = refused(413);
    expect(await attempts([cut(), lasting])).toEqual({ tried: 2, ended: lasting });
  });

  it("gives up after failures in a row, and not when a byte got further between them", async () => {
    const patience = new Patience(new AbortController().signal, () => 0);
    let tried = 0;
    const failing = patience.run(async () => {
      tried += 1;
      if (tried === 5) patience.progressed();
      throw cut();
    });
    await expect(failing).rejects.toThrow("cut");
    expect(tried).toBe(ATTEMPTS + 4);
  });

  it("stops in the middle of a wait", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    const start = performance.now();
    const { ended } = await attempts([refused(503, "60")], stop.signal);
    expect(ended).toMatchObject({ failure: { kind: "aborted" } });
    // The wait was a minute.
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});
