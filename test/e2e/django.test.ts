import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApplicationProps, SiteProps } from "../../stacks/props.ts";
import { type Answer, json, post, randomFile, send, until } from "../helpers/e2e-client.ts";
import { type ApplicationNetwork, applicationNetwork } from "../helpers/e2e-django.ts";
import { inspect, resources, volumeFolder, withoutDocker } from "../helpers/e2e-docker.ts";
import { filesBelow, md5, sha256OfFile, sha256, tree } from "../helpers/e2e-files.ts";
import { withoutPython } from "../helpers/e2e-python.ts";
import { deployDockerSite, type DeployedSite } from "../helpers/e2e-site.ts";

const reason = withoutDocker() ?? withoutPython();
const STORE = "/srv/slipway";

/** What the fixture's view answers a program. */
interface DjangoAnswer {
  readonly message: string;
  readonly stored: string;
  readonly file1: Readonly<Record<"name" | "content_type" | "path" | "md5" | "size", string>>;
  readonly form: Readonly<Record<"name" | "submit" | "description", string | null>>;
  readonly others: readonly string[];
}

describe.skipIf(reason !== undefined)(`a Django application behind the upload${reason === undefined ? "" : `: skipped, ${reason}`}`, () => {
  let network: ApplicationNetwork;
  let site: DeployedSite;
  let store: string;
  const applicationAt = (kind: ApplicationProps["kind"]): SiteProps => ({
    upload: { checksums: ["md5"] },
    application: { kind, address: kind === "http" ? "django:8000" : "django:3031", network: network.name },
  });

  beforeAll(async () => {
    network = await applicationNetwork();
    site = await deployDockerSite(applicationAt("http"));
    await network.start({ volume: site.dataVolume, store: STORE, user: "10001:10001" });
    store = await volumeFolder(site.dataVolume);
  }, 600_000);
  afterAll(async () => {
    await network?.stop();
    await site?.remove();
    await network?.remove();
  }, 120_000);

  async function answersHome(): Promise<Answer> {
    let home: Answer | undefined;
    await until("Django answers through nginx", async () => (home = await send(site, "/")).status === 200);
    return home!;
  }

  const fields = (terminal: string, description: string) => [
    { name: "name", content: "A name of the form" },
    { name: "terminal", content: terminal },
    { name: "submit", content: "Upload" },
    { name: "description", content: description },
    { name: "secret", content: "not passed on" },
  ];

  describe.each(["http", "uwsgi"] as const)("spoken to in %s", (kind) => {
    beforeAll(async () => {
      if (kind === "uwsgi") await site.change(applicationAt(kind));
    }, 180_000);

    it("serves the rest of the site itself", async () => {
      const home = await answersHome();
      expect(home.text).toMatch(/Served by Django \d+\.\d+\.\d+ over https/);
      expect((await send(site, "/no-such-page")).status).toBe(404);
    });

    it("gets the classic fields, moves the file and answers a program", async () => {
      const file = { ...randomFile(`report-${kind}.pdf`, 3_000_000), name: "file1", type: "application/pdf" };
      const answer = await post(site, [...fields("yes", "für später"), file]);
      expect(answer.status, answer.text).toBe(200);
      const { message, stored, file1, form, others } = json<DjangoAnswer>(answer);
      expect(message).toBe("Upload Complete");
      expect(file1).toEqual({ name: file.filename, content_type: "application/pdf", path: expect.stringMatching(new RegExp(`^${STORE}/incoming/\\d/\\d{10}$`)), md5: md5(file.content), size: "3000000" });
      expect(form).toEqual({ name: "A name of the form", submit: "Upload", description: "für später" });
      expect(others).toEqual(["description", "name", "submit", "terminal"]);

      const path = join(store, stored.slice(STORE.length));
      expect(await sha256OfFile(path)).toBe(sha256(file.content));
      const entry = tree(join(store, "archive")).find(({ path }) => path === file.filename);
      expect(entry).toMatchObject({ owner: "10001:10001", mode: "0660" });
      expect(filesBelow(join(store, "incoming"))).toEqual([]);
    });

    it("answers a browser with a page of its own", async () => {
      const answer = await post(site, [...fields("", ""), { ...randomFile(`photo-${kind}.jpg`, 1000), name: "file1" }], { accept: "text/html" });
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toMatch(/^text\/html/);
      expect(answer.text).toContain(`Upload Complete: photo-${kind}.jpg`);
    });

    it("leaves no file when its view fails", async () => {
      const archived = filesBelow(join(store, "archive"));
      const answer = await post(site, [...fields("yes", "fail"), { ...randomFile("lost.bin", 500_000), name: "file1" }]);
      expect(answer.status).toBe(500);
      await until("the file is deleted", () => filesBelow(join(store, "incoming")).length === 0);
      expect(filesBelow(join(store, "archive"))).toEqual(archived);
    });
  });

  it("has no service of ours beside it", async () => {
    expect(await resources("container", `${site.name}-`)).toEqual([site.nginx]);
    expect(Object.keys((await inspect(site.nginx)).NetworkSettings.Networks)).toContain(network.name);
  });
});
