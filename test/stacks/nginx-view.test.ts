import { describe, expect, it } from "vitest";
import { Application, Storage, Tls } from "../../stacks/factories.ts";
import { errorPages, errorStatuses } from "../../stacks/nginx/error-pages.ts";
import { renderNginx } from "../../stacks/nginx/render.ts";
import { answeredNames, hasHttp2Directive, nginxView, storeAccess } from "../../stacks/nginx/view.ts";
import { dockerPlacement } from "../../stacks/placement.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite } from "../../stacks/settings.ts";
import { directives, parseNginx, type Directive } from "../helpers/nginx-parse.ts";

function tree(props: SiteProps): readonly Directive[] {
  const settings = checkSite(props);
  return parseNginx(renderNginx(settings, dockerPlacement(settings)));
}
const args = (props: SiteProps, name: string): (readonly string[])[] => directives(tree(props), name).map((directive) => directive.args);

it.each([
  ["0660", "user:rw group:rw"],
  ["0600", "user:rw"],
  ["0640", "user:rw group:r"],
  ["0604", "user:rw all:r"],
  ["0666", "user:rw group:rw all:rw"],
  ["0644", "user:rw group:r all:r"],
])("mode %s is %s to the module", (mode, access) => {
  expect(storeAccess(mode)).toBe(access);
});

it.each([
  ["1.22.1", false],
  ["1.25.0", false],
  ["1.25.1", true],
  ["1.26.3", true],
  ["2.0.0", true],
  ["0.8.55", false],
])("nginx %s has a directive for HTTP/2: %s", (version, expected) => {
  expect(hasHttp2Directive(version)).toBe(expected);
  const settings = checkSite({});
  const parsed = parseNginx(renderNginx(settings, { ...dockerPlacement(settings), nginxVersion: version }));
  expect(directives(parsed, "http2")).toHaveLength(expected ? 2 : 0);
  expect(directives(parsed, "listen")[0]!.args.includes("http2")).toBe(!expected);
});

it.each<[SiteProps, string[]]>([
  [{}, ["localhost", "127.0.0.1", "[::1]"]],
  [{ serverNames: ["a.example", "localhost"] }, ["a.example", "localhost", "127.0.0.1", "[::1]"]],
  [{ listen: { address: "192.0.2.7", publicWithoutAuthentication: true } }, ["localhost", "127.0.0.1", "[::1]", "192.0.2.7"]],
  [{ listen: { address: "2001:db8::7", publicWithoutAuthentication: true } }, ["localhost", "127.0.0.1", "[::1]", "[2001:db8::7]"]],
  [{ listen: { address: "0.0.0.0", publicWithoutAuthentication: true } }, ["localhost", "127.0.0.1", "[::1]"]],
  [{ listen: { address: "::", publicWithoutAuthentication: true } }, ["localhost", "127.0.0.1", "[::1]"]],
  [{ listen: { address: "::1" } }, ["localhost", "127.0.0.1", "[::1]"]],
])("%j answers to %j", (props, names) => {
  expect(answeredNames(checkSite(props))).toEqual(names);
});

it.each([
  ["16k", "64k"],
  ["765k", "3060k"],
  ["1m", "4m"],
  ["3m", "4m"],
  ["64m", "64m"],
])("buffers of %s go with a window of %s", (bufferSize, window) => {
  expect(new Set(args({ upload: { bufferSize } }, "client_body_buffer_size").flat())).toEqual(new Set([window]));
  expect(args({ upload: { bufferSize } }, "upload_buffer_size")[0]).toEqual([bufferSize]);
});

/** What the service can use passes whatever the site says. */
const ownFields = ["^(?:description|relativePath)$"];

/** Fields of a body that is a file, or a piece of one, with md5 and sha256. */
const ofSessions = [["size", "$upload_file_size"], ["offset", "$upload_offset"], ["outcome", "$upload_outcome"], ["md5", "$upload_file_md5"], ["sha256", "$upload_file_sha256"]];

const ofSegments = [["file.size", "$upload_file_size"], ["file.md5", "$upload_file_md5"], ["file.sha256", "$upload_file_sha256"]];

describe("what reaches nginx.conf", () => {
  it.each<[string, SiteProps, string, string[][]]>([
    ["hash levels", { storage: { hashLevels: [2, 1] } }, "upload_store", [["/srv/slipway/incoming", "2", "1"]]],
    ["no hash levels", { storage: { hashLevels: [] } }, "upload_store", [["/srv/slipway/incoming"]]],
    ["a bind's path", { storage: { place: Storage.bind("/data/x") } }, "upload_store", [["/data/x/incoming", "1"]]],
    ["checksums, after the size", { upload: { checksums: ["md5", "sha256"] } }, "upload_aggregate_form_field", [...ofSegments, ["$upload_field_name.size", "$upload_file_size"], ["$upload_field_name.md5", "$upload_file_md5"], ["$upload_field_name.sha256", "$upload_file_sha256"], ...ofSessions, ...ofSessions]],
    ["no field that passes", { upload: { passFields: [] } }, "upload_pass_form_field", [ownFields]],
    ["no field that passes to an application", { application: Application.http("web:80"), upload: { passFields: [] } }, "upload_pass_form_field", []],
    ["no field that passes another module", { images: { module: { kind: "folder", path: "/src/module" } }, upload: { passFields: [] } }, "upload_pass_form_field", []],
    ["a field that passes whatever it is called", { upload: { passFields: [""] } }, "upload_pass_form_field", [[""], ownFields]],
    ["no cleanup", { upload: { cleanup: [] } }, "upload_cleanup", []],
    ["cleanup, which is another for segments", { upload: { cleanup: ["404", "500-599"] } }, "upload_cleanup", [["404", "500-599"], ["400-499"]]],
    ["space that stays free", { upload: { minFreeSpace: "50g" } }, "upload_min_free_space", [["50g"]]],
    ["no space that stays free", {}, "upload_min_free_space", []],
    ["a rate in g", { upload: { limitRate: "1g" } }, "upload_limit_rate", [["1024m"]]],
    ["a file size in g", { upload: { maxFileSize: "20g" } }, "upload_max_file_size", [["20g"]]],
    ["an end of unfinished uploads", { upload: { expireAfter: "1h30m" } }, "auth_request", [["/_slipway/begin"], ["/_slipway/begin"]]],
    ["no sessions behind an application", { application: Application.http("web:80") }, "auth_request", []],
    ["no sessions with another module", { images: { module: { kind: "folder", path: "/src/module" } } }, "upload_raw", []],
    ["no redirect", { listen: { httpPort: false } }, "return", [["421"], ["404"], ["404"], ["418"], ["400"], ["200", "ok\n"], ["404"]]],
    ["a public port", { listen: { httpsPort: 8443 } }, "return", [["421"], ["404"], ["404"], ["418"], ["400"], ["421"], ["308", "https://$host:8443$request_uri"], ["200", "ok\n"], ["404"]]],
    ["no HSTS for a CA of the site's own", {}, "add_header", args({}, "add_header").filter(([name]) => name !== "Strict-Transport-Security").map((a) => [...a])],
    ["a service by name", {}, "resolver", [["127.0.0.11", "valid=5s", "ipv6=off"]]],
    ["a service by name, asked for each time", {}, "set", [["$slipway_upstream", "service:8080"], ["$slipway_segment", "$http_session_id$http_x_session_id"]]],
    ["an application by address", { application: Application.http("192.0.2.7:80") }, "resolver", []],
    ["the host's own name", { application: Application.http("host.docker.internal:80") }, "upstream", [["slipway_upstream"]]],
    ["an application by name", { application: Application.uwsgi("web:80") }, "uwsgi_pass", [["$slipway_upstream"], ["$slipway_upstream"], ["$slipway_upstream"]]],
    ["an application gets no secret", { application: Application.http("web:80") }, "include", []],
  ])("%s", (_, props, name, expected) => {
    expect(args(props, name)).toEqual(expected);
  });

  it("tells browsers to stay with HTTPS when the certificate is the site's own", () => {
    const hsts = args({ tls: Tls.files({ certificate: "/c", key: "/k" }) }, "add_header").filter(([name]) => name === "Strict-Transport-Security");
    expect(hsts.length).toBeGreaterThan(1);
  });

  it("is one text for the same site, and this text for the example", async () => {
    const settings = checkSite({});
    const text = renderNginx(settings, dockerPlacement(settings));
    expect(renderNginx(checkSite({}), dockerPlacement(settings))).toBe(text);
    expect(text).not.toMatch(/[ \t]$/m);
    await expect(text.replace(/'sha256-[^']+'/g, "'sha256-OF-THE-STYLE'")).toMatchFileSnapshot("../cases/nginx/site.conf");
  });
});

it("gives the templates plain values, every key there", () => {
  const settings = checkSite({ application: Application.http("web:80") });
  const view = nginxView(settings, dockerPlacement(settings));
  expect(Object.isFrozen(view)).toBe(true);
  expect(JSON.parse(JSON.stringify(view))).toEqual(view);
});

describe("error pages", () => {
  it("are there for every status that nginx.conf names, in both forms", () => {
    const own = args({}, "error_page").filter((a) => !a.at(-1)!.startsWith("@"));
    const named = [...new Set(own.map((a) => a.at(-1)!.replace("/_slipway/errors/", "").replace(".$slipway_error_type", "")))];
    expect(named.filter((name) => name !== "progress")).toEqual(errorStatuses.map(({ status }) => String(status)));
    expect(named).toContain("progress");
    expect([...errorPages().keys()].sort()).toEqual(named.flatMap((status) => [`${status}.html`, `${status}.json`]).sort());
  });

  it("say the same in both", () => {
    for (const { status } of errorStatuses) {
      const { error } = JSON.parse(errorPages().get(`${status}.json`)!) as { error: { status: number; hint: string } };
      expect(errorPages().get(`${status}.html`)).toContain(error.hint.replaceAll("'", "&#39;"));
      expect(error.status).toBe(status >= 494 && status <= 497 ? 400 : status);
    }
  });
});

describe("a placement", () => {
  const settings = checkSite({});
  const docker = dockerPlacement(settings);

  it("may have folders with spaces", () => {
    expect(directives(parseNginx(renderNginx(settings, { ...docker, store: "/home/my data/it" })), "upload_store")[0]!.args).toEqual(["/home/my data/it/incoming", "1"]);
  });

  it.each<[string, object]>([
    ["store", { store: '/x"; }' }],
    ["tempDir", { tempDir: "/x/${y}" }],
    ["errorLog", { errorLog: "relative.log" }],
    ["httpsListen", { httpsListen: "8443; evil" }],
    ["service.address", { service: { address: "x y:1" } }],
    ["nginxVersion", { nginxVersion: "mainline" }],
    ["user", { user: "root;" }],
    ["modulePath", { modulePath: "/a\nb" }],
  ])("is refused for its %s, by name", (name, wrong) => {
    expect(() => renderNginx(settings, { ...docker, ...wrong })).toThrow(`placement.${name}: cannot stand in nginx.conf, got`);
  });
});
