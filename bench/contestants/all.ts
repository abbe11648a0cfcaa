import type { Contestant } from "../contestant.ts";
import { nginxCore } from "./nginx-core.ts";
import { ours } from "./ours.ts";
import { rivals } from "./rivals.ts";
import { sinks } from "./sink.ts";
import { sites } from "./site.ts";

/** Everyone, in the order of the table. */
export const contestants: readonly Contestant[] = [...sinks, ...nginxCore, ...rivals, ...ours, ...sites];
