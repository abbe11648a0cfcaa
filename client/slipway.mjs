#!/usr/bin/env node
// What npx and npm run: plain JavaScript, because Node 20 runs no TypeScript by itself.
import { register } from "tsx/esm/api";

register();
const { main } = await import("./cli.ts");
process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  columns: process.stderr.isTTY && process.env.TERM !== "dumb" ? process.stderr.columns : undefined,
  // npm runs scripts in the checkout; a relative path counts from where the user is.
  folder: process.env.npm_lifecycle_event === "push" ? (process.env.INIT_CWD ?? process.cwd()) : process.cwd(),
});
