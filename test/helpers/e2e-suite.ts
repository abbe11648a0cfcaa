import { afterAll, beforeAll, beforeEach } from "vitest";
import type { SiteProps } from "../../stacks/props.ts";
import { type LocalTestSite, startTestSite } from "./e2e-local.ts";

/** One site for a suite of tests: started before the first, emptied before each, stopped after the last. */
export function useTestSite(props: SiteProps, started: (site: LocalTestSite) => void): void {
  let site: LocalTestSite | undefined;
  beforeAll(async () => {
    site = await startTestSite(props);
    started(site);
  }, 120_000);
  afterAll(() => site?.stop());
  beforeEach(() => site?.clear());
}
