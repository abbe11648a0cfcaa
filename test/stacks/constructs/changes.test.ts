import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteContexts } from "../../../images/site-contexts.ts";
import type { SiteProps } from "../../../stacks/props.ts";
import { checkSite } from "../../../stacks/settings.ts";
import { synthesize } from "../../helpers/synth.ts";
import type { Synthesized } from "../../helpers/synth.ts";

const NGINX = ["nginx-image", "nginx_container"];
const SERVICE = ["service_container"];

let folder: string;
let module: SiteProps["images"];
let before: Synthesized;

/** The stack with contexts read from this checkout, but for the module: a copy that a test may change. */
async function stackOf(props: SiteProps): Promise<Synthesized> {
  const site = { ...props, images: { ...module, ...props.images } };
  return synthesize(site, { contexts: await siteContexts(checkSite(site)) });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "slipway-changes-"));
  cpSync("module", join(folder, "module"), { recursive: true });
  module = { module: { kind: "folder", path: join(folder, "module") } };
  before = await stackOf({});
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Names of the resources that differ, so that Terraform would replace or change them. */
function changed(one: Synthesized, other: Synthesized): string[] {
  const flat = (stack: Synthesized): Map<string, string> =>
    new Map(Object.values(stack.resource).flatMap((byId) => Object.entries(byId).map(([id, resource]) => [id, JSON.stringify(resource)])));
  const [a, b] = [flat(one), flat(other)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((id) => a.get(id) !== b.get(id))
    .map((id) => id.replace(/^site_(.*)_[0-9A-F]{8}$/, "$1"))
    .sort();
}

describe("a changed prop replaces only what it reaches:", () => {
  it.each<[string, SiteProps, string[]]>([
    ["nothing at all", {}, []],
    ["upload.bufferSize", { upload: { bufferSize: "2m" } }, NGINX],
    ["upload.limitRate", { upload: { limitRate: "10m" } }, NGINX],
    ["upload.cleanup", { upload: { cleanup: ["404"] } }, NGINX],
    ["upload.passFields", { upload: { passFields: ["^x$"] } }, NGINX],
    ["upload.bodyTimeout", { upload: { bodyTimeout: "90s" } }, NGINX],
    ["serverNames", { serverNames: ["files.example.org"] }, NGINX],
    ["storage.hashLevels", { storage: { hashLevels: [1, 1] } }, NGINX],
    ["listen.httpsPort", { listen: { httpsPort: 8443 } }, NGINX],
    ["listen.address", { listen: { address: "127.0.0.2" } }, NGINX],
    ["tls", { tls: { kind: "files", certificate: "/c.pem", key: "/k.pem" } }, NGINX],
    // The service tells the page, and checks again, what nginx tells it with each request.
    ["upload.maxFileSize", { upload: { maxFileSize: "5g" } }, NGINX],
    ["upload.checksums", { upload: { checksums: ["sha256", "md5"] } }, NGINX],
    ["upload.path", { upload: { path: "/in" } }, NGINX],
    ["service.memoryMiB", { service: { memoryMiB: 512 } }, SERVICE],
    ["service.logLevel", { service: { logLevel: "debug" } }, SERVICE],
    ["service.abandonedAfter", { service: { abandonedAfter: "48h" } }, SERVICE],
    ["images.base", { images: { base: "debian:trixie" } }, [...NGINX, ...SERVICE, "service-image"]],
  ])("%s", async (_, props, expected) => {
    // HSTS goes with a certificate of the administrator's, so tls reaches nginx.conf as well.
    expect(changed(before, await stackOf(props))).toEqual([...expected].sort());
  });

  it("the module's source", async () => {
    const source = join(folder, "module", "config");
    const text = readFileSync(source);
    try {
      writeFileSync(source, `${text.toString()}\n`);
      expect(changed(before, await stackOf({}))).toEqual([...NGINX].sort());
    } finally {
      writeFileSync(source, text);
    }
  });
});
