import { buildBaseImage } from "../../images/base/build.ts";
import { suiteOf } from "../../images/base/rootfs.ts";
import { imageId, pull } from "../commands/docker.ts";
import type { Machine } from "../core/machine.ts";
import { Problem } from "../core/problem.ts";
import { lastLines } from "../core/run.ts";
import { missingPackages, MMDEBSTRAP_NEED, packagesStep } from "./packages.ts";
import { found, made, type Step } from "./step.ts";

const PULL_TIMEOUT_MS = 180_000;

/** The image that both of ours start from: there, or pulled, or made from the Debian mirror. */
export const baseImageStep = (machine: Machine, image: string): Step => ({
  name: "base image",
  after: ["docker"],
  run: async (report) => {
    if ((await machine.run(imageId(image))).ok) return found(`${image} is there`);
    report.begin(`pulling ${image}`);
    const pulled = await machine.run(pull(image), { timeoutMs: PULL_TIMEOUT_MS });
    if (pulled.ok) return made(`pulled ${image}`);
    const suite = suiteOf(image);
    if (suite === undefined) {
      throw new Problem(`site.images.base: cannot be pulled, got "${image}"; load it with "docker load", or use debian:<release>-slim, which can be made here\n${lastLines(pulled, 3)}`);
    }
    if ((await missingPackages(machine, [MMDEBSTRAP_NEED])).length > 0) await packagesStep(machine, [MMDEBSTRAP_NEED]).run(report);
    report.begin(`it cannot be pulled; making the same from Debian's packages, about a minute`);
    await buildBaseImage(image, suite);
    return made(`made ${image} with mmdebstrap`);
  },
});
