import { buildModule } from "../images/module-build.ts";

process.stdout.write(`${await buildModule()}\n`);
