import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Nginx, NginxOptions } from "../helpers/nginx.ts";

const fields = `
      upload_set_form_field _field "$upload_field_name";
      upload_set_form_field _name "$upload_file_name";
      upload_set_form_field _type "$upload_content_type";
      upload_set_form_field _path "$upload_tmp_path";
      upload_aggregate_form_field _size "$upload_file_size";
      upload_aggregate_form_field _md5 "$upload_file_md5";
      upload_pass_form_field "";`;

const location = (path: string, directives: string, target = "@target"): string => `
    location ${path} {
      upload_pass ${target};
      upload_store %STORE% 1;
      ${fields}
      ${directives}
    }`;

const toTarget = (kind: string): string => `
      proxy_pass http://target;
      proxy_set_header X-Kind "${kind}";
      proxy_set_header X-Files $upload_file_number;`;

/** Waits so short that a storm is soon over, and a server that its own slowness alone may still meet. */
const timeouts = `
  client_header_timeout 2s;
  client_body_timeout 2s;
  keepalive_timeout 2s;
  lingering_time 2s;
  lingering_timeout 1s;
  send_timeout 2s;
  reset_timedout_connection on;`;

/** Folder, beside the store, of files that come in pieces: they outlive the requests that bring them. */
export const piecesFolder = "pieces";

/** Log of all requests, in the site's folder: time, client's port, status, path of the last file, outcome, session, range, request. */
export const accessLog = "access.log";

/** What a storm's server is made of. */
export interface StormParts {
  /** Address and port of the target. */
  readonly target: string;
  /** A free port for TLS. */
  readonly securePort: number;
  /** nginx directives of certificate and key. */
  readonly keys: string;
}

/** A server with upload locations of several kinds, in front of a target; `piecesFolder` must be made. */
export function stormSite({ target, securePort, keys }: StormParts, more: Partial<NginxOptions> = {}): NginxOptions {
  const locations = [
    location("/upload", "client_body_buffer_size 1k; upload_buffer_size 4k; upload_cleanup 400-599; upload_max_file_size 30k;"),
    location("/tiny", "client_body_buffer_size 17; upload_buffer_size 5; upload_thread_pool off; upload_cleanup 400-599; upload_max_part_header_len 100;"),
    location("/large", "client_body_buffer_size 64k; upload_buffer_size 64k; upload_cleanup 400-599; upload_max_output_body_len 2k; upload_store_access user:rw group:rw;"),
    location("/uri", "upload_pass_args on; upload_cleanup 400-599; upload_tame_arrays on; upload_add_header X-File $upload_file_name;", "/done?x=1"),
    location("/mirrored", "mirror /copy; client_body_buffer_size 1k; upload_cleanup 400-599;"),
    location("/raw", "upload_raw on; upload_cleanup 400-599; client_body_buffer_size 1k;"),
    location("/ranged", "upload_resumable on; upload_cleanup 422; upload_max_file_size 1m; client_body_buffer_size 64;").replace("%STORE% 1", `%FOLDER%/${piecesFolder}`),
    location("/piece", `upload_raw on; upload_raw_path %FOLDER%/${piecesFolder}/$http_x_path; upload_raw_offset $http_x_offset; upload_raw_length $http_x_length;`, "@piece").replace("%STORE% 1", `%FOLDER%/${piecesFolder}`),
    location("/page", "error_page 400 413 415 422 502 @sorry; upload_cleanup 400-599;").replace("upload_pass @target", "upload_pass @done"),
  ];
  return {
    connections: 2048,
    logLevel: "error",
    listen: "listen 127.0.0.1:%PORT% backlog=4096; listen 127.0.0.1:%TLS_PORT% http2 backlog=4096; " + `listen 127.0.0.1:${securePort} ssl http2 backlog=4096;`,
    http: `upstream target { server ${target} max_fails=0; keepalive 32; } proxy_http_version 1.1; proxy_set_header Connection ""; ${timeouts}
    log_format storm '$msec $remote_port $status $upload_tmp_path $upload_outcome "$http_session_id$http_x_session_id" $http_content_range$http_x_content_range "$request"';`,
    server: `
    ${keys}
    access_log %FOLDER%/${accessLog} storm;
    ${locations.join("\n")}
    location = /copy { internal; proxy_method POST; ${toTarget("copy").replace("http://target", "http://target/copy")} }
    location = /done { internal; ${toTarget("upload")} }
    location = /status { stub_status; access_log off; }
    location = /probe { ${toTarget("probe")} }
    location /hidden { ${toTarget("hidden")} }
    location @done { proxy_intercept_errors on; error_page 422 502 @sorry; ${toTarget("upload")} }
    location @piece { proxy_ignore_client_abort on; ${toTarget("piece")} }
    location @target { ${toTarget("upload")} }
    location @sorry { rewrite ^ /sorry? break; proxy_method POST; ${toTarget("sorry")} }
    location / { return 404; }`,
    ...more,
  };
}

/** What a worker has: whatever a storm adds to it is a leak. */
export interface Holdings {
  readonly workers: readonly number[];
  /** Open descriptors of all workers: what each leads to. */
  readonly descriptors: readonly string[];
  /** Connections that nginx counts, beside the one that asks. */
  readonly connections: number;
  /** Private memory of all workers, bytes. */
  readonly memory: number;
}

/** Private memory of a process, bytes. */
export function memoryOf(pid: number): number {
  const kib = [...readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").matchAll(/^Private_(?:Dirty|Clean): +(\d+) kB/gm)];
  return kib.reduce((sum, match) => sum + Number(match[1]) * 1024, 0);
}

function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "closed meanwhile";
    }
  });
}

/** Reads what the workers have now. */
export async function holdings(site: Nginx): Promise<Holdings> {
  const workers = site.workers();
  const status = await (await fetch(`http://127.0.0.1:${site.port}/status`, { headers: { connection: "close" } })).text();
  return {
    workers,
    descriptors: workers.flatMap(descriptorsOf),
    connections: Number(/Active connections: (\d+)/.exec(status)?.[1]) - 1,
    memory: workers.reduce((sum, pid) => sum + memoryOf(pid), 0),
  };
}
