import { describe, expect, it } from "vitest";
import type { SiteProps } from "../../../stacks/props.ts";
import { resourceAt, synthesize } from "../../helpers/synth.ts";
import type { Resource } from "../../helpers/synth.ts";

const nginx = (props: SiteProps = {}): Resource => resourceAt(synthesize(props), "docker_container", "nginx/container");
const service = (props: SiteProps = {}): Resource => resourceAt(synthesize(props), "docker_container", "service/container");

it("is what the snapshot says", async () => {
  const { terraform, ...rest } = synthesize({ name: "demo" });
  const { backend: _, ...versions } = terraform; // its path starts at a temporary folder here
  const text = `${JSON.stringify({ ...rest, terraform: versions }, null, 2)}\n`;
  await expect(text).toMatchFileSnapshot("upload-site.snapshot.json");
});

describe("every container", () => {
  it.each([
    ["nginx", nginx],
    ["service", service],
  ])("%s has no rights that it does not need", (_, container) => {
    expect(container({ storage: { uid: 4711, gid: 4712 } })).toMatchObject({
      user: "4711:4712",
      read_only: true,
      capabilities: { drop: ["ALL"] },
      security_opts: ["no-new-privileges:true"],
      restart: "unless-stopped",
      log_opts: { "max-size": "10m", "max-file": "3" },
    });
    expect(container()).not.toHaveProperty("privileged");
  });

  it.each([
    ["nginx", nginx],
    ["service", service],
  ])("%s is not touched before all images are built", (_, container) => {
    expect(container()).toHaveProperty("provider", "docker.after_images");
  });

  it.each([
    ["nginx", nginx, ["/run/slipway", "/tmp"]],
    ["service", service, ["/tmp"]],
  ] as const)("%s writes outside its mounts only to memory of its own", (_, container, places) => {
    const tmpfs = container({ storage: { uid: 4711, gid: 4712 } }).tmpfs as Record<string, string>;
    expect(Object.keys(tmpfs)).toEqual(places);
    for (const options of Object.values(tmpfs)) expect(options).toMatch(/noexec,size=\d+m,mode=0700,uid=4711,gid=4712$/);
  });
});

describe("the provider of the containers", () => {
  it("refers to the name of every image, and changes nothing", () => {
    const check = synthesize({}).provider.docker.find(({ alias }) => alias === "after_images")?.disable_docker_daemon_check;
    expect(check).toMatch(/docker_image\.\S*service-image\S*\.name == "unnamed"/);
    expect(check).toMatch(/docker_image\.\S*nginx-image\S*\.name == "unnamed"/);
  });
});

describe("nginx", () => {
  it.each<[string, SiteProps["listen"], unknown]>([
    ["both ports, sorted by the inner one", { httpsPort: 443, httpPort: 80 }, [{ internal: 8080, external: 80, ip: "127.0.0.1" }, { internal: 8443, external: 443, ip: "127.0.0.1" }]],
    ["HTTPS alone", { httpsPort: 9443, httpPort: false }, [{ internal: 8443, external: 9443, ip: "127.0.0.1" }]],
    ["on the address asked for", { address: "192.0.2.7", publicWithoutAuthentication: true, httpPort: false }, [{ internal: 8443, external: 443, ip: "192.0.2.7" }]],
  ])("publishes %s", (_, listen, ports) => {
    expect(nginx(listen ? { listen } : {}).ports).toEqual(ports);
  });

  it("lets uploads in flight finish", () => {
    expect(nginx()).toMatchObject({ stop_signal: "SIGQUIT", stop_timeout: 30, destroy_grace_seconds: 30 });
  });

  it("mounts certificate, key and secret read-only", () => {
    const readOnly = (nginx({ name: "demo" }).mounts as Resource[]).filter((mount) => mount.read_only === true);
    expect(readOnly.map(({ source, target }) => [source, target])).toEqual([
      ["/checkout/.slipway/demo/tls/site.pem", "/run/secrets/slipway/site.pem"],
      ["/checkout/.slipway/demo/tls/site.key", "/run/secrets/slipway/site.key"],
      ["/checkout/.slipway/demo/secrets/nginx-secret.conf", "/run/secrets/slipway/nginx-secret.conf"],
    ]);
  });

  it("mounts the administrator's certificate where the props say so", () => {
    const { mounts } = nginx({ tls: { kind: "files", certificate: "/etc/tls/chain.pem", key: "/etc/tls/key.pem" } });
    expect(mounts).toEqual(expect.arrayContaining([expect.objectContaining({ source: "/etc/tls/chain.pem" }), expect.objectContaining({ source: "/etc/tls/key.pem" })]));
  });

  it("is replaced when the certificate is another one", () => {
    const labels = (hash: string): unknown => resourceAt(synthesize({}, { certificateHash: hash }), "docker_container", "nginx/container").labels;
    expect(labels("aa")).toContainEqual({ label: "slipway.certificate", value: "aa" });
    expect(labels("aa")).not.toEqual(labels("bb"));
  });
});

describe("the service", () => {
  it("is on the internal network alone, which has no way out", () => {
    const stack = synthesize({ name: "demo" });
    const network = resourceAt(stack, "docker_network", "networks/internal");
    expect(network).toMatchObject({ name: "demo-internal", internal: true });
    expect(service().networks_advanced).toEqual([{ name: expect.stringContaining("networks_internal"), aliases: ["service"] }]);
    expect(service()).not.toHaveProperty("ports");
  });

  it("has its memory limit, and no swap beside it", () => {
    expect(service({ service: { memoryMiB: 128 } })).toMatchObject({ memory: 128, memory_swap: 128 });
  });

  it("gets the database's folder from the path in the props", () => {
    const { mounts, env } = service({ name: "demo", service: { database: "/data/db/slipway.db" } });
    expect(mounts).toContainEqual({ type: "volume", source: "demo-database", target: "/data/db" });
    expect(env).toContain("SLIPWAY_DATABASE=/data/db/slipway.db");
  });

  it("gets its secret as a file, never in its environment", () => {
    const { mounts, env } = service({ name: "demo" });
    expect(mounts).toContainEqual({ type: "bind", source: "/checkout/.slipway/demo/secrets/secret", target: "/run/secrets/slipway/secret", read_only: true });
    expect((env as string[]).filter((line) => /secret/i.test(line))).toEqual(["SLIPWAY_SECRET_FILE=/run/secrets/slipway/secret"]);
  });
});

describe("the store", () => {
  it.each([
    ["nginx", nginx],
    ["service", service],
  ])("is one mount at the same path in %s", (_, container) => {
    expect(container({ name: "demo" }).mounts).toContainEqual({ type: "volume", source: "demo-data", target: "/srv/slipway" });
    const bind: SiteProps = { storage: { place: { kind: "bind", path: "/big/uploads" } } };
    expect(container(bind).mounts).toContainEqual({ type: "bind", source: "/big/uploads", target: "/big/uploads" });
  });

  it("is a volume that Terraform does not know and so cannot destroy", () => {
    expect(synthesize({}).resource).not.toHaveProperty("docker_volume");
  });
});

describe("with an application in place of the service", () => {
  const props: SiteProps = { name: "demo", application: { kind: "http", address: "web:8000", network: "apps" } };

  it("there is no service, no image of it and no internal network", () => {
    const { resource } = synthesize(props);
    expect(Object.keys(resource.docker_container!)).toHaveLength(1);
    expect(Object.keys(resource.docker_image!)).toHaveLength(1);
    expect(Object.keys(resource.docker_network!)).toHaveLength(1);
  });

  it("nginx joins the application's network, and has no secret to share", () => {
    const { networks_advanced, mounts } = nginx(props);
    expect(networks_advanced).toEqual([{ name: expect.stringContaining("networks_edge") }, { name: "apps" }]);
    expect(JSON.stringify(mounts)).not.toContain("/secrets/nginx-secret");
  });

  it("the host has a name only where the application is on it", () => {
    expect(nginx(props).host).toEqual([]);
    expect(nginx({ application: { kind: "uwsgi", address: "host.docker.internal:9000" } }).host).toEqual([{ host: "host.docker.internal", ip: "host-gateway" }]);
  });
});

describe("the stack", () => {
  it("is named by the site and asks for the provider that it was tried with", () => {
    expect(synthesize({}).terraform.required_providers).toEqual({ docker: { source: "kreuzwerker/docker", version: "4.6.0" } });
  });

  it("holds no path of this machine but those of secrets and of the state", () => {
    const { terraform, ...rest } = synthesize({ name: "demo" });
    expect(terraform.backend.local.path).toMatch(/^\.\.\/.*checkout\/\.slipway\/demo\/terraform\.tfstate$/);
    expect(JSON.stringify(rest)).not.toContain(process.cwd());
  });
});
