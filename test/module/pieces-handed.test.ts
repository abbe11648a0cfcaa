import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Answer, type Nginx, withNginx } from "../helpers/nginx.ts";
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
const target = (answers: readonly (Answer | undefined)[]): (() => Answer | undefined) => {
  let asked = 0;
  return () => answers[asked++];
};

const site = (answers: readonly (Answer | undefined)[]): Parameters<typeof withNginx>[0] => {
  const options = piecesSite({ answer: target(answers) });
  return { ...options, server: options.server.replace("proxy_ignore_client_abort on", "proxy_ignore_client_abort off") };
};

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

  it("is gone, though no target had it, does not take a repeated segment for the whole file", async () => {
    await withNginx(site([undefined, { status: 200 }]), async (nginx) => {
      await send(nginx, 0, 10);
      await askInVain(nginx);
      await nginx.until(() => stateOf(nginx).handed === 0, "the file to be the session's again");
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
