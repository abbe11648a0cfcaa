import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { siteFolder } from "../../stacks/site-folder.ts";
import { certificateNames } from "../core/names.ts";
import { tlsPaths, whyRenew } from "../steps/tls-files.ts";
import { fail, ok, warn, type Check } from "./check.ts";

const DAY_MS = 86_400_000;
const WARN_DAYS = 21;

export const certificateCheck: Check = {
  name: "certificate",
  run: async ({ settings, status }) => {
    if (status.placement === "local") return ok("made and renewed when the site starts");
    const own = tlsPaths(siteFolder(settings.name));
    const path = settings.tls.kind === "files" ? settings.tls.certificate : own.certificate;
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(await readFile(path));
    } catch (error) {
      const fix = settings.tls.kind === "files" ? "put a PEM certificate there, readable by the site's uid or gid" : "npm run setup makes it";
      return fail(`${path} cannot be read`, (error as Error).message, fix);
    }
    if (settings.tls.kind === "selfSigned") {
      const why = whyRenew(certificate, new X509Certificate(await readFile(own.ca)), certificateNames(settings), new Date());
      return why === undefined ? ok(`valid until ${certificate.validTo}`) : warn("should be made again", why, "npm run up");
    }
    const days = (Date.parse(certificate.validTo) - Date.now()) / DAY_MS;
    if (days < 0) return fail(`ended on ${certificate.validTo}`, "clients refuse it", "renew it, then npm run up");
    return days < WARN_DAYS ? warn(`ends on ${certificate.validTo}`, "clients will refuse it from then on", "renew it, then npm run up") : ok(`valid until ${certificate.validTo}`);
  },
};
