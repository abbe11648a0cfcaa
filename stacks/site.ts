/**
 * Your site: the one file to edit. `npm run up` makes it so, `npm run -s render` shows the nginx.conf it
 * becomes, and docs/reference/settings.md lists every setting. What is left out has the default named there;
 * the values here are the defaults, spelled out.
 */

import { Storage, Tls } from "./factories.ts";
import type { SiteProps } from "./props.ts";

const site: SiteProps = {
  name: "slipway",
  serverNames: ["localhost"],

  // Loopback only. Any other address also needs `publicWithoutAuthentication: true`:
  // whoever reaches the site may upload, list and download.
  listen: { address: "127.0.0.1", httpsPort: 443, httpPort: 80 }, // 80 only redirects to HTTPS

  // A certificate of yours: Tls.files({ certificate: "/etc/ssl/site.pem", key: "/etc/ssl/site.key" })
  tls: Tls.selfSigned(),

  storage: {
    place: Storage.volume(), // or Storage.bind("/srv/uploads")
    uid: 10001,
    gid: 10001,
    directoryMode: "2770",
    fileMode: "0660",
    hashLevels: [1], // one level of hashed directories: incoming/0 ... incoming/9
  },

  upload: {
    path: "/upload", // POST https://localhost/upload

    // Each file <f> of a form passes on as <f>.name, <f>.content_type and <f>.path ...
    setFields: {
      "$upload_field_name.name": "$upload_file_name",
      "$upload_field_name.content_type": "$upload_content_type",
      "$upload_field_name.path": "$upload_tmp_path",
    },
    // ... and, when it has ended, <f>.size and one field for each checksum.
    checksums: ["sha256"], // ["sha256", "md5"] adds <f>.md5, at half the speed

    // Ordinary fields that pass on, as regular expressions.
    passFields: ["^submit$", "^description$", "^name$", "^relativePath$", "^terminal$"],

    cleanup: ["400-599"], // answers that delete the request's files
    maxFileSize: "0", // "20g"; 0 is no limit
  },
};

export default site;
