import { freePort } from "../../scripts/local/ports.ts";
import { type Contestant, GROUPS, type Group } from "../contestant.ts";
import { compareForm } from "../ground.ts";
import { curlTransport, startNginx } from "../nginx.ts";
import { curlBody, type Entrance } from "./ours.ts";

/** nginx itself writes the body, a file or a form with one, to a file, and proxies the request without it to a server that answers at once. */
const bodyToFile = (group: Group, entrance: Entrance): Contestant => ({
  group,
  name: entrance === "raw" ? "nginx body to file" : "nginx form to file",
  async start(place) {
    const done = await freePort();
    const nginx = await startNginx(
      {
        group,
        http: `server { listen 127.0.0.1:${done}; return 200; }`,
        server: `
    location / {
      client_body_in_file_only on;
      client_body_buffer_size 1m;
      client_body_temp_path ${place.store};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass http://127.0.0.1:${done};
    }`,
      },
      place,
    );
    return {
      ...nginx,
      curl: async (file) => [...curlTransport(group), ...curlBody(entrance, file), `${nginx.origin}/upload`],
      ...(entrance === "raw" ? {} : { compare: compareForm }),
    };
  },
});

/** nginx's own WebDAV: the body goes to a file, which is then renamed. */
const dav: Contestant = {
  group: "http",
  name: "nginx DAV PUT",
  async start(place) {
    const nginx = await startNginx(
      {
        group: "http",
        server: `
    location / {
      root ${place.store};
      dav_methods PUT;
      client_body_buffer_size 1m;
    }`,
      },
      place,
    );
    return { ...nginx, curl: async (file) => ["-T", file, `${nginx.origin}/upload`] };
  },
};

export const nginxCore: readonly Contestant[] = [...GROUPS.flatMap((group) => [bodyToFile(group, "raw"), bodyToFile(group, "form")]), dav];
