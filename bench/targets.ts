/** What the module or a site is to reach, as a multiple of the time of another contestant of the same run. */
export interface Target {
  /** Group and name of who is measured. */
  readonly contestant: string;
  /** Group and name of who is the measure. */
  readonly yardstick: string;
  /** Time at most, in the yardstick's. */
  readonly atMost: number;
}

/** Not slower. */
const AHEAD = 1;

export const TARGETS: readonly Target[] = [
  { contestant: "http/ours form", yardstick: "http/sink", atMost: 1.1 },
  // One core receives while the other hashes: faster than one thread can be.
  { contestant: "http/ours form sha256", yardstick: "http/sink sha256", atMost: 0.95 },
  { contestant: "http/ours raw", yardstick: "http/ours form", atMost: 1.03 },
  { contestant: "http/ours raw crc32", yardstick: "http/ours form crc32", atMost: 1.03 },
  { contestant: "http/ours raw sha256", yardstick: "http/ours form sha256", atMost: 1.03 },
  { contestant: "http/ours raw md5", yardstick: "http/ours form md5", atMost: 1.03 },
  { contestant: "http/ours form 64k", yardstick: "http/ours form", atMost: 1.5 },
  { contestant: "http/ours form sha256 64k", yardstick: "http/ours form sha256", atMost: 1.5 },
  // curl takes longer to send a form than a file: core gets the same request as we do.
  { contestant: "tls/ours raw", yardstick: "tls/nginx body to file", atMost: 1.05 },
  { contestant: "h2/ours raw", yardstick: "h2/nginx body to file", atMost: 1.05 },
  { contestant: "tls/ours form", yardstick: "tls/nginx form to file", atMost: 1.05 },
  { contestant: "h2/ours form", yardstick: "h2/nginx form to file", atMost: 1.05 },
  { contestant: "tls/ours form", yardstick: "tls/nginx body to file", atMost: 1.05 },
  { contestant: "h2/ours form", yardstick: "h2/nginx body to file", atMost: 1.05 },
  { contestant: "tls/site tus", yardstick: "tls/site PUT", atMost: 1.05 },
  // A whole site, with TLS and all that it does, is ahead of those that take a file without.
  ...["http/Koa + busboy", "http/@tus/server", "http/tusd", "http/copyparty PUT", "tls/tusd behind nginx"].map((yardstick) => ({ contestant: "tls/site tus", yardstick, atMost: AHEAD })),
];

/** Whether a contestant has, or is the measure of, a target that a few percent decide. Other people's servers are not: they are to be left behind. */
export const isClose = (contestant: string): boolean =>
  TARGETS.some(({ contestant: one, yardstick, atMost }) => (one === contestant || yardstick === contestant) && atMost !== AHEAD && Math.abs(atMost - 1) < 0.11);

/** Whom a contestant without a target is compared with, by group. */
const USUAL: Readonly<Record<string, string>> = { http: "http/sink", tls: "tls/nginx body to file", h2: "h2/nginx body to file" };

/** Whom a contestant is compared with, and its target if it has one; the first is the one to look at first. */
export function measuresOf(contestant: string): readonly { readonly yardstick: string; readonly atMost: number | undefined }[] {
  const targets = TARGETS.filter((one) => one.contestant === contestant);
  if (targets.length > 0) return targets;
  const yardstick = USUAL[contestant.slice(0, contestant.indexOf("/"))];
  return yardstick === undefined || yardstick === contestant ? [] : [{ yardstick, atMost: undefined }];
}
