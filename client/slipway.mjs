#!/usr/bin/env node
// What npx and npm run: plain JavaScript, because Node 20 runs no TypeScript by itself.
import { register } from "tsx/esm/api";

register();
await import("./program.ts");
