import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HANG_UP, type Nginx, type Reply, withNginx } from "../helpers/nginx.ts";
import { piecesSite, readState, segment } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, WireClient } from "../helpers/wire.ts";

const bytes = randomBytes(30);
const other = randomBytes(30);

const send = (nginx: Nginx, from: number, to: number, of: Buffer = bytes): ReturnType<typeof exchange> => exchange(nginx.port, segment(of, "s", from, to));
const files = (nginx: Nginx): string[] => nginx.files().filter((path) => !path.endsWith(".state"));
const stateOf = (nginx: Nginx): ReturnType<typeof readState> => readState(nginx.files().find((path) => path.endsWith(".state"))!);

/** Begins the session anew with other bytes. @returns the files that are there then */
async function anew(nginx: Nginx): Promise<string[]> {
  expect((await send(nginx, 0, 10, other)).body).toBe("0-9/30");
  return files(nginx);
}

/** Sends the last segment and goes away once the target has it. */
async function askInVain(nginx: Nginx): Promise<void> {
  const asked = nginx.passed.length;
  const client = await WireClient.open(nginx.port);
  client.write(segment(bytes, "s", 10, 30));
  await nginx.until(() => nginx.passed.length === asked + 1, "the target to be asked");
  client.destroy();
}

/** A target that answers what it is told to, or nothing. */
const target = (answers: readonly Reply[]): (() => Reply) => {
  let asked = 0;
  return () => answers[asked++];
};

/** @param directives of the target's location */
const site = (answers: readonly Reply[], directives = ""): Parameters<typeof withNginx>[0] => {
  const options = piecesSite({ answer: target(answers) });
  return { ...options, server: options.server.replace("proxy_ignore_client_abort on;", directives) };
};

const askAndHear = (status: number) => async (nginx: Nginx) => void expect((await send(nginx, 10, 30)).status).toBe(status);

describe("module: a session that begins anew when its file", () => {
  it.each([200, 404, 500])("was handed on to a target that answered %d, leaves it to the target", async (status) => {
    await withNginx(site([{ status }]), async (nginx) => {
      await send(nginx, 0, 10);
      expect((await send(nginx, 10, 30)).status).toBe(status);
      const [path] = files(nginx);
      expect(await anew(nginx)).toHaveLength(2);
      expect(readFileSync(path!)).toEqual(bytes);
    });
  });

  it("was handed on to a target that never answered, removes it", async () => {
    await withNginx(site([undefined]), async (nginx) => {
      await send(nginx, 0, 10);
      await askInVain(nginx);
      await nginx.until(() => stateOf(nginx).handed === 0, "the file to be the session's again");
      const [path] = files(nginx);
      expect(await anew(nginx)).toHaveLength(1);
      expect(existsSync(path!)).toBe(false);
    });
  });

  it.each([
    ["first", [undefined, { status: 200 }]],
    ["last", [{ status: 200 }, undefined]],
  ])("was handed on twice, and the %s target never answered, leaves it to the other", async (which, answers) => {
    await withNginx(site(answers), async (nginx) => {
      await send(nginx, 0, 10);
      if (which === "last") expect((await send(nginx, 10, 30)).status).toBe(200);
      await askInVain(nginx);
      await nginx.until(() => stateOf(nginx).handed === (which === "last" ? 1 : 0), "the state to know");
      if (which === "first") expect((await send(nginx, 10, 30)).status).toBe(200);
      expect(stateOf(nginx).handed).toBe(1);
      expect(await anew(nginx)).toHaveLength(2);
    });
  });

  it("is handed on to two targets at once, leaves it when one has answered", async () => {
    await withNginx(site([undefined, { status: 200 }]), async (nginx) => {
      await send(nginx, 0, 10);
      const client = await WireClient.open(nginx.port);
      client.write(segment(bytes, "s", 10, 30));
      await nginx.until(() => nginx.passed.length === 1, "the target to be asked");
      expect((await send(nginx, 10, 30)).status).toBe(200);
      expect(stateOf(nginx).handed).toBe(2);
      client.destroy();
      await nginx.until(() => stateOf(nginx).handed === 1, "the first to be taken back");
      expect(await anew(nginx)).toHaveLength(2);
    });
  });

  // A service files it, and is killed before it answers, or takes longer than nginx waits.
  it.each([
    ["whose client went away", undefined, askInVain],
    ["that was too slow", undefined, askAndHear(504)],
    ["that hung up", HANG_UP, askAndHear(502)],
  ] as const)("was taken by a target %s, asks it again when the last segment is repeated", async (_, reply, ask) => {
    await withNginx(site([reply, { status: 200 }], "proxy_read_timeout 500ms;"), async (nginx) => {
      await send(nginx, 0, 10);
      await ask(nginx);
      await nginx.until(() => stateOf(nginx).handed === 0, "the file to be the session's again");
      expect(stateOf(nginx).told).toBe(true);
      for (const path of files(nginx)) rmSync(path);
      expect((await send(nginx, 10, 30)).status).toBe(200);
      expect(fieldOf(nginx.passed[1], "path")).toBe(fieldOf(nginx.passed[0], "path"));
    });
  });

  it("is gone, though no target knew of it, does not take a repeated segment for the whole file", async () => {
    const options = site([{ status: 200 }], "set $target %UPSTREAM%; if ($http_x_down) { set $target 127.0.0.1:1; }");
    await withNginx({ ...options, server: options.server.replace("proxy_pass http://%UPSTREAM%", "proxy_pass http://$target") }, async (nginx) => {
      await send(nginx, 0, 10);
      expect((await exchange(nginx.port, segment(bytes, "s", 10, 30, ["X-Down: yes"]))).status).toBe(502);
      await nginx.until(() => stateOf(nginx).handed === 0, "the file to be the session's again");
      expect(stateOf(nginx).told).toBe(false);
      for (const path of files(nginx)) rmSync(path);
      expect((await send(nginx, 10, 30)).body).toBe("10-29/30");
      expect((await send(nginx, 0, 10)).status).toBe(200);
      expect(readFileSync(fieldOf(nginx.passed.at(-1), "path")!)).toEqual(bytes);
    });
  });

  it("could not be handed on at first, is repeated and answered, leaves it", async () => {
    await withNginx(site([undefined, { status: 200 }]), async (nginx) => {
      await send(nginx, 0, 10);
      await askInVain(nginx);
      await nginx.until(() => stateOf(nginx).handed === 0, "the file to be the session's again");
      expect((await send(nginx, 10, 30)).status).toBe(200);
      expect(await anew(nginx)).toHaveLength(2);
    });
  });
});
