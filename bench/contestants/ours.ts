import { buildModule } from "../../images/module-build.ts";
import type { Size } from "../../lib/size.ts";
import { windowSize } from "../../lib/window.ts";
import { type Contestant, type Group, GROUPS, type Place } from "../contestant.ts";
import { curlTransport, startNginx } from "../nginx.ts";

export const DIGESTS = ["none", "crc32", "sha256", "md5"] as const;
export type Digest = (typeof DIGESTS)[number];
export type Entrance = "form" | "raw";

/** Both buffers where nothing else is said. */
const BUFFER: Size = { text: "1m", bytes: 1024 ** 2 };

/** How the module is set up. */
export interface OursSettings {
  readonly entrance: Entrance;
  readonly digest: Digest;
  /** Whether a file is on the disk before the request is passed on, the module's default. */
  readonly sync: boolean;
  /** Both buffers, nginx's notation. @default "1m" */
  readonly buffer?: string;
  /** `client_body_buffer_size` where it is another: over HTTP/2 it is the window of a stream. @default `buffer` */
  readonly window?: string;
  /** Whether disk work is given to threads, the module's default. @default true */
  readonly threads?: boolean;
  /** Whether files may come in ranges. @default false */
  readonly resumable?: boolean;
  /** More directives of the upload's location. @default none */
  readonly more?: string;
}

/** A server's locations: `/upload` takes uploads, `/get` is a small page. */
export function oursServer(settings: OursSettings, { store, state }: Pick<Place, "store" | "state">): string {
  const { entrance, digest, sync, buffer = BUFFER.text, window = buffer, threads = true, resumable = false, more = "" } = settings;
  const lines = [
    "upload_pass @done;",
    `upload_store ${store};`,
    'upload_set_form_field path "$upload_tmp_path";',
    `client_body_buffer_size ${window};`,
    `upload_buffer_size ${buffer};`,
    ...(digest === "none" ? [] : [`upload_aggregate_form_field digest "$upload_file_${digest}";`]),
    ...(entrance === "raw" ? ["upload_raw on;"] : []),
    ...(sync ? [] : ["upload_sync off;"]),
    ...(threads ? [] : ["upload_thread_pool off;"]),
    ...(resumable ? ["upload_resumable on;", `upload_state_store ${state};`] : []),
    ...(more === "" ? [] : [more]),
  ];
  return `
    location /upload {
      ${lines.join("\n      ")}
    }
    location @done { return 200; }
    location /get { return 200 "a small page"; }`;
}

/** How curl sends a file to an entrance. */
export const curlBody = (entrance: Entrance, file: string): readonly string[] => (entrance === "raw" ? ["-T", file] : ["-F", `file=@${file}`]);

/** What the settings say beside the defaults of the benchmark: one stream, 1 MiB, no digest, no sync. */
export function oursName({ entrance, digest, sync, buffer, threads }: OursSettings): string {
  const words = ["ours", entrance, digest === "none" ? "" : digest, buffer ?? "", threads === false ? "no threads" : "", sync ? "sync" : ""];
  return words.filter((word) => word !== "").join(" ");
}

const contestant = (group: Group, settings: OursSettings): Contestant => ({
  group,
  name: oursName(settings),
  async start(place) {
    const nginx = await startNginx({ group, server: oursServer(settings, place), module: await buildModule({ sanitize: false }) }, place);
    return { ...nginx, curl: async (file) => [...curlTransport(group), ...curlBody(settings.entrance, file), `${nginx.origin}/upload`] };
  },
});

const sync = false;

// As a site has it.
const window = (group: Group): Pick<OursSettings, "window"> => (group === "h2" ? { window: windowSize(BUFFER) } : {});

const every = (["form", "raw"] as const).flatMap((entrance) => DIGESTS.flatMap((digest) => [false, true].map((on) => ({ entrance, digest, sync: on }))));

export const ours: readonly Contestant[] = [
  ...every.map((settings) => contestant("http", settings)),
  ...(["none", "sha256"] as const).map((digest) => contestant("http", { entrance: "form", digest, sync, buffer: "64k" })),
  ...(["none", "sha256"] as const).map((digest) => contestant("http", { entrance: "form", digest, sync, threads: false })),
  ...GROUPS.filter((group) => group !== "http").flatMap((group) => every.map((settings) => contestant(group, { ...settings, ...window(group) }))),
];
