import { describe, expect, it } from "vitest";
import { withoutLocal } from "../helpers/e2e-local.ts";
import { type Sample, soak } from "./run.ts";

describe.skipIf(withoutLocal() !== undefined)("many uploads in progress for long", () => {
  it("are all held meanwhile, and come whole", async () => {
    const samples: Sample[] = [];
    const report = await soak({ sessions: 20, seconds: 10, sampled: (sample) => samples.push(sample) });
    expect(report).toMatchObject({ sessions: 20, whole: 20, findings: [] });
    expect(samples.map(({ open }) => open)).toEqual([20]);
    for (const { nginx, service } of samples) expect([nginx > 0, service > 0]).toEqual([true, true]);
  }, 120_000);
});
