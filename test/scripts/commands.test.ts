import { describe, expect, it } from "vitest";
import { debianMirror } from "../../images/base/mirror.ts";
import { bootstrap, suiteOf, suiteSources } from "../../images/base/rootfs.ts";
import { aptByHand, aptInstall, installedPackages } from "../../scripts/commands/apt.ts";
import { pull, siteContainers } from "../../scripts/commands/docker.ts";
import { buildProvider, downloadToolchain, goVersion, isAtLeast, requiredGo } from "../../scripts/commands/go.ts";
import { alternativeNames, serverExtensions } from "../../scripts/commands/openssl.ts";
import { isDebianLike } from "../../scripts/core/host.ts";
import { mirrorPaths } from "../../scripts/steps/provider.ts";
import { portsOf } from "../../scripts/steps/ports.ts";

describe("command lines", () => {
  it.each([
    [aptInstall(["docker.io"]), "apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 docker.io"],
    [pull("debian:trixie-slim"), "docker pull --quiet debian:trixie-slim"],
    [siteContainers("site"), "docker ps --all --no-trunc --filter label=slipway.site=site --format {{json .}}"],
    [buildProvider("go", "/c/p"), "go build -trimpath -mod=readonly -ldflags -s -w -o /c/p github.com/terraform-providers/terraform-provider-docker"],
    [downloadToolchain("go", "1.25.8", "linux-amd64"), "go mod download -json golang.org/toolchain@v0.0.1-go1.25.8.linux-amd64"],
  ])("%j", (argv, line) => expect(argv.join(" ")).toBe(line));

  it("says by hand what it would have run", () => {
    expect(aptByHand(["nginx", "gcc"])).toBe("sudo apt-get update && sudo apt-get install --no-install-recommends nginx gcc");
  });
});

describe("what programs print", () => {
  it("tells installed packages from removed ones", () => {
    expect([...installedPackages("ii  nginx\nrc  gcc\nii  libssl-dev:amd64\nun  make\n")]).toEqual(["nginx", "libssl-dev"]);
  });

  it.each([
    ["ID=debian\nVERSION_ID=12\n", true],
    ['ID=ubuntu\nID_LIKE="debian"\n', true],
    ['ID="linuxmint"\nID_LIKE="ubuntu debian"\n', true],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', false],
    ["", false],
  ])("os-release %j is Debian: %s", (text, expected) => expect(isDebianLike(text)).toBe(expected));

  it.each([
    ["go version go1.26.8 linux/amd64", "1.26.8"],
    ["go version go1.19 linux/arm64", "1.19"],
    ["no", undefined],
  ])("version of %j is %s", (text, version) => expect(goVersion(text)).toBe(version));

  it.each([["1.25.8", "1.25.8", true], ["1.26", "1.25.8", true], ["1.25", "1.25.8", false], ["1.9.9", "1.21", false], ["20.10.24", "20.10", true]])(
    "%s is at least %s: %s",
    (version, wanted, expected) => expect(isAtLeast(version, wanted)).toBe(expected),
  );

  it("reads the go line of a module file", () => {
    expect(requiredGo("module x\n\ngo 1.25.8\n")).toBe("1.25.8");
    expect(requiredGo("module x\n")).toBeUndefined();
  });

  it("reads the ports of a container", () => {
    expect([...portsOf("8080/tcp -> 127.0.0.1:80\n8443/tcp -> [::1]:443\n")]).toEqual([80, 443]);
    expect(portsOf("").size).toBe(0);
  });
});

describe("a base image that cannot be pulled", () => {
  it.each([
    ["debian:trixie-slim", "trixie"], ["debian:bookworm", "bookworm"], ["docker.io/library/debian:trixie-slim", "trixie"],
    ["debian:latest@sha256:00", undefined], ["registry.example/debian:trixie-slim", undefined], ["ubuntu:noble", undefined], ["debian:trixie-slim; rm", undefined],
  ])("the release of %s is %s", (image, suite) => expect(suiteOf(image)).toBe(suite));

  it("is made of the release, its updates and its security fixes", () => {
    const args = bootstrap("trixie", "http://mirror.example/debian", "/t.tar");
    expect(args.slice(0, 2)).toEqual(["--variant=minbase", "--include=ca-certificates"]);
    expect(args.slice(-5)).toEqual(["trixie", "/t.tar", ...suiteSources("trixie", "http://mirror.example/debian")]);
    expect(args.at(-1)).toBe("deb http://mirror.example/debian-security trixie-security main");
  });

  it.each([
    ["deb http://mirror.example/debian bookworm main\n", "http://mirror.example/debian"],
    ["deb [signed-by=/x.gpg] https://m.example/debian/ trixie main", "https://m.example/debian"],
    ["Types: deb\nURIs: http://deb.example/debian\nSuites: trixie\n", "http://deb.example/debian"],
    ["deb https://packages.example/apt cloud main\n", undefined],
    ["# deb http://old.example/debian sid main\n", undefined],
  ])("the mirror in %j is %s", (sources, mirror) => expect(debianMirror(sources)).toBe(mirror));
});

it("looks for the provider below the names that terraform and tofu know", () => {
  expect(mirrorPaths("arm64", "/m")).toEqual([
    "/m/registry.terraform.io/kreuzwerker/docker/4.6.0/linux_arm64/terraform-provider-docker_v4.6.0",
    "/m/registry.opentofu.org/kreuzwerker/docker/4.6.0/linux_arm64/terraform-provider-docker_v4.6.0",
  ]);
});

it("names hosts and addresses in a certificate each in its own way", () => {
  expect(alternativeNames(["localhost", "127.0.0.1", "::1", "localhost", "*.site.example"])).toEqual(["DNS:localhost", "IP:127.0.0.1", "IP:::1", "DNS:*.site.example"]);
  expect(serverExtensions(["localhost"])).toContain("basicConstraints=critical,CA:FALSE\n");
});
