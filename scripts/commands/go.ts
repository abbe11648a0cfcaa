import type { Argv } from "../core/run.ts";

/** OpenTofu, for a machine without terraform; built from its Go module. */
export const TOFU_VERSION = "1.10.10";
/** The Go that its module file asks for. */
export const TOFU_GO = "1.24.13";

export const downloadTofu = (go: string): Argv => [go, "mod", "download", "-json", `github.com/opentofu/opentofu@v${TOFU_VERSION}`];

/** Builds OpenTofu in its module's own folder: `go install` refuses a module file with replacements. */
export const buildTofu = (go: string, output: string): Argv => [
  go, "build", "-trimpath", "-mod=readonly", "-ldflags", "-s -w -X github.com/opentofu/opentofu/version.dev=no", "-o", output, "./cmd/tofu",
];

/** Builds the Docker provider from the module file of scripts/provider. */
export const buildProvider = (go: string, output: string): Argv => [
  go, "build", "-trimpath", "-mod=readonly", "-ldflags", "-s -w", "-o", output, "github.com/terraform-providers/terraform-provider-docker",
];

/** A Go toolchain as a module, in the way that the go command itself fetches newer ones (go.dev/doc/toolchain). */
export const downloadToolchain = (go: string, version: string, platform: string): Argv => [
  go, "mod", "download", "-json", `golang.org/toolchain@v0.0.1-go${version}.${platform}`,
];

/** `1.19.8` of `go version go1.19.8 linux/amd64`. */
export const goVersion = (output: string): string | undefined => /\bgo(\d+\.\d+(?:\.\d+)?)/.exec(output)?.[1];

/** Version in the `go` line of a go.mod. */
export const requiredGo = (goMod: string): string | undefined => /^go (\d+\.\d+(?:\.\d+)?)$/m.exec(goMod)?.[1];

/** Whether one dotted version is the other or newer. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [have, want] = [version, wanted].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (have![i] ?? 0) - (want![i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
