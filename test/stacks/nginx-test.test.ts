import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Application, Tls } from "../../stacks/factories.ts";
import { dockerPlacement } from "../../stacks/placement.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite, SiteProblems } from "../../stacks/settings.ts";
import { stringPlaces } from "../helpers/arbitraries.ts";
import { nginxFolder, nginxTest, whyNoNginx, type NginxFolder } from "../helpers/nginx-site.ts";

const missing = whyNoNginx();

describe.skipIf(missing !== undefined)(`nginx -t with the module takes what is rendered${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let folder: NginxFolder;
  beforeAll(async () => void (folder = await nginxFolder(9)));
  afterAll(() => folder.remove());

  it.each<[string, SiteProps]>([
    ["the defaults", {}],
    ["every checksum", { upload: { checksums: ["md5", "sha1", "sha256", "sha512", "crc32"] } }],
    ["three levels, none passed, none cleaned", { storage: { hashLevels: [1, 2, 1], fileMode: "0644" }, upload: { passFields: [], cleanup: [] } }],
    ["no levels", { storage: { hashLevels: [], fileMode: "0600" } }],
    ["the largest sizes", { upload: { maxFileSize: "8388606g", maxBodySize: "8388607g", minFreeSpace: "8388607g", limitRate: "1g", bufferSize: "64m" } }],
    ["the smallest sizes", { upload: { maxFileSize: "1", maxBodySize: "2", limitRate: "1k", bufferSize: "16k", bodyTimeout: "1s", completionTimeout: "1000ms" } }],
    ["the longest times", { upload: { bodyTimeout: "1d", completionTimeout: "23h59m59s999ms" } }],
    ["every safe thing in a regular expression", { upload: { passFields: ["", "^(a|b)$|^c$", "\\.\\d\\D\\w\\W\\s\\S\\b\\B\\-\\/\\|\\^\\(\\)\\[\\]\\?\\*\\+", "[a-z0-9_.:,@/-]*", "(?:x)?y+"] } }],
    ["fields of every variable", { upload: { aggregateFields: { "$upload_field_name.uc": "$upload_file_md5_uc-$upload_file_sha1_uc-$upload_file_sha256_uc-$upload_file_sha512_uc", all: "$upload_file_number.$upload_field_name.$upload_content_type", empty: "" } } }],
    ["many long names", { serverNames: Array.from({ length: 64 }, (_, i) => `${`${"n".repeat(50)}.`.repeat(4)}host-${i}.example.org`) }],
    ["a certificate of the site's", { tls: Tls.files({ certificate: "/c.pem", key: "/k.pem" }) }],
    ["an http application", { application: Application.http("web:8000", { completionPath: "/done/" }) }],
    ["a uwsgi application", { application: Application.uwsgi("[2001:db8::7]:8000", { completionPath: "/done/" }) }],
  ])("%s", async (_, props) => {
    const resolver = "127.0.0.11";
    const { ok, output } = await nginxTest(folder, checkSite(props), { resolver });
    expect(output).toContain("test is successful");
    expect(ok, output).toBe(true);
  });

  it("good values of every prop at random", async () => {
    const samples = stringPlaces.flatMap((at) => fc.sample(at.good, { numRuns: 2, seed: 7 }).map((text) => at.site(text)));
    let tried = 0;
    for (const props of samples) {
      let settings;
      try {
        settings = checkSite(props);
      } catch (error) {
        expect(error).toBeInstanceOf(SiteProblems);
        continue;
      }
      const { ok, output } = await nginxTest(folder, settings, { resolver: "127.0.0.11" });
      expect(ok, `${JSON.stringify(props)}\n${output}`).toBe(true);
      tried++;
    }
    expect(tried).toBeGreaterThan(stringPlaces.length);
  });

  it("a placement in folders with spaces", async () => {
    const errorPages = `${folder.root}/my errors, 2`;
    expect((await nginxTest(folder, checkSite({}), { errorPages })).ok).toBe(true);
  });

  it("the containers' paths, but for the files that are not here", async () => {
    const settings = checkSite({});
    const docker = dockerPlacement(settings);
    const { certificate, key, secretConf, modulePath, pidPath, nginxVersion, user, tempDir, store, accessLog } = folder.placement;
    const { ok, output } = await nginxTest(folder, settings, { ...docker, certificate, key, secretConf, modulePath, pidPath, nginxVersion, user, tempDir, store, accessLog });
    expect(ok, output).toBe(true);
  });
});
