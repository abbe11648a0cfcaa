import { describe, expect, it } from "vitest";
import { appliedOf, errorOf, progressOf } from "../../scripts/commands/terraform.ts";

describe("what cdktf prints", () => {
  it.each([
    ["site  Apply complete! Resources: 6 added, 1 changed, 2 destroyed.\n", { added: 6, changed: 1, destroyed: 2 }],
    ["Apply complete! Resources: 1 imported, 0 added, 0 changed, 0 destroyed.", { added: 0, changed: 0, destroyed: 0 }],
    ["      No changes. Your infrastructure matches the configuration.\n", { added: 0, changed: 0, destroyed: 0 }],
    ["nothing of the kind", undefined],
  ])("%j did %j", (output, applied) => expect(appliedOf(output)).toEqual(applied));

  it.each([
    ["site  docker_image.site_nginx-image_60D (site/nginx-image/image): Creating...", "site/nginx-image/image: Creating..."],
    ["      docker_container.c (site/nginx/container): Destruction complete after 1s", "site/nginx/container: Destruction complete after 1s"],
    ["docker_image.i (site/i): Still creating... [1m30s elapsed]", "site/i: Still creating... [1m30s elapsed]"],
    ["docker_image.i (site/i): Still creating... [10s elapsed]", undefined],
    ["docker_image.i: Refreshing state... [id=1]", undefined],
    ["Plan: 4 to add, 0 to change, 5 to destroy.", undefined],
  ])("progress in %j is %j", (line, text) => expect(progressOf(line)).toBe(text));

  it("gives terraform's errors without where they stand in the generated JSON", () => {
    const output = [
      "site  docker_image.x (site/x): Creating...",
      "site  Error: Error running buildx build: failed to solve: exit code: 2",
      "",
      "        with docker_image.x (site/x),",
      "        on cdk.tf.json line 240, in resource.docker_image.x (site/x):",
      "       240:       },",
      "",
      "      Error: Unable to start container",
      "        address already in use",
      "0 Stacks deploying     1 Stack done     0 Stacks waiting",
    ].join("\n");
    expect(errorOf(output)).toBe("Error: Error running buildx build: failed to solve: exit code: 2\nError: Unable to start container\naddress already in use");
  });

  it("gives each error once, and the last lines where there is none", () => {
    expect(errorOf("Error: same\n\nError: same\n")).toBe("Error: same");
    expect(errorOf("site.upload.path: not a path, got 1; use \"/upload\"\n\n")).toBe('site.upload.path: not a path, got 1; use "/upload"');
  });
});
