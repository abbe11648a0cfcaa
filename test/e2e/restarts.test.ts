/** The service is started again under an nginx that keeps connections to it: whoever comes once it is there is served. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, form, randomFile, send, until } from "../helpers/e2e-client.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

const reason = withoutLocal();
const ROUNDS = 8;
const CLIENTS = 12;

describe.skipIf(reason !== undefined)(`a service that is started again${reason === undefined ? "" : `: skipped, ${reason}`}`, { timeout: 120_000 }, () => {
  let site: LocalTestSite;
  beforeAll(async () => {
    site = await startTestSite({});
  }, 120_000);
  afterAll(() => site?.stop());

  /** Uploads at the same time, so that as many connections to the service are kept. @param pause What their second halves wait for. */
  function uploads(round: string, pause?: Promise<unknown>): Promise<Answer[]> {
    return Promise.all(
      Array.from({ length: CLIENTS }, (_, number) => {
        const { body, contentType } = form([randomFile(`${round}-${number}.bin`, 20_000)]);
        const headers = { accept: "application/json", "content-type": contentType };
        return send(site, "/upload", { method: "POST", body, headers, ...(pause === undefined ? {} : { pause }) });
      }),
    );
  }

  /** Ends the service and starts it again, until it takes connections; nginx is asked nothing meanwhile. */
  async function restart(how: "SIGTERM" | "SIGKILL"): Promise<void> {
    const service = site.site.service!;
    await (how === "SIGTERM" ? service.stop(10_000) : service.kill());
    service.start();
    const port = Number(service.spec.env["SLIPWAY_LISTEN"]?.split(":")[1]);
    const answers = (): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
        socket.on("connect", () => socket.destroy());
      });
    await until("the service takes connections", answers);
  }

  function expectAll(answers: readonly Answer[]): void {
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: CLIENTS }, () => 200));
    const { rows, files, incoming } = site.kept();
    expect(rows.map(({ state }) => state)).toEqual(Array.from({ length: CLIENTS }, () => "complete"));
    expect([...files].sort()).toEqual(rows.map(({ target }) => target).sort());
    expect(incoming).toEqual([]);
    site.clear();
  }

  it.each(["SIGTERM", "SIGKILL"] as const)("between uploads, by %s: none is refused for a connection of the one before", async (how) => {
    site.clear();
    for (let round = 0; round < ROUNDS; round++) {
      expectAll(await uploads(`${how}-${round}`));
      await restart(how);
      expectAll(await uploads(`${how}-${round}-after`));
    }
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("during uploads, by %s: those that end once it is there again are filed", async (how) => {
    site.clear();
    for (let round = 0; round < 2; round++) {
      let goOn = (): void => undefined;
      const under = uploads(`${how}-${round}`, new Promise<void>((resolve) => (goOn = resolve)));
      try {
        await until("all are under way", () => site.kept().incoming.length === CLIENTS);
        await restart(how);
      } finally {
        goOn();
      }
      expectAll(await under);
    }
  });
});
