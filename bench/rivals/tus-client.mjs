// The reference tus client. Arguments: FILE ENDPOINT STREAMS; the CA to trust stands in NODE_EXTRA_CA_CERTS.
import { createReadStream } from "node:fs";
import * as tus from "tus-js-client";

const [file, endpoint, streams] = process.argv.slice(2);
const parallelUploads = Number(streams);

await new Promise((resolve, reject) => {
  new tus.Upload(createReadStream(file), {
    endpoint,
    parallelUploads,
    metadata: { filename: "upload.bin" },
    onSuccess: resolve,
    onError: reject,
  }).start();
});
