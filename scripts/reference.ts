import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderPushReference } from "../client/reference.ts";
import { renderReference, withSummary } from "../stacks/settings-reference.ts";
import { runMain } from "./core/main.ts";
import { checkout } from "./core/paths.ts";

/** `npm run reference`: writes docs/reference/settings.md and push.md, and the table of settings in the README. */
await runMain(async () => {
  writeFileSync(join(checkout, "docs", "reference", "settings.md"), renderReference());
  writeFileSync(join(checkout, "docs", "reference", "push.md"), renderPushReference());
  const readme = join(checkout, "README.md");
  if (existsSync(readme)) writeFileSync(readme, withSummary(readFileSync(readme, "utf8")));
});
