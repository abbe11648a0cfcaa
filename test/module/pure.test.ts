import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const module = fileURLToPath(new URL("../../module/", import.meta.url));
const programs = readdirSync(join(module, "test")).filter((file) => file.endsWith(".c"));
const sources = ["digest", "digest_field", "ranges", "state"].map((part) => join(module, `src/upload_${part}.c`));

let work = "";
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "slipway-pure-"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("module: known answers of the parts that know nothing of nginx", () => {
  it("are there for each part", () => {
    expect(programs.sort()).toEqual(["digest.c", "digest_field.c", "ranges.c", "state.c"]);
  });

  it.each(programs)("%s", (file) => {
    const program = join(work, file.replace(/\.c$/, ""));
    const flags = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"];
    const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    const built = spawnSync("gcc", [...flags, ...sanitizers, "-o", program, join(module, "test", file), ...sources, "-lcrypto", "-lz"], { encoding: "utf8" });
    expect(built.stderr).toBe("");
    const run = spawnSync(program, { encoding: "utf8" });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
  });
});
