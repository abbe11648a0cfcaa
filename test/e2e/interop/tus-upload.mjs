// usage: node tus-upload.mjs ENDPOINT FILE parallel|stored STATE: uploads one file with tus-js-client.
// "stored" gives up at the first failure, and goes on from the address in STATE when it is run again.
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { canStoreURLs, FileUrlStorage, Upload } from "tus-js-client";

const [endpoint, path, how, state] = process.argv.slice(2);
const parallel = how === "parallel";
if (!parallel && !canStoreURLs) throw new Error("tus-js-client cannot store addresses here");

const upload = new Upload(createReadStream(path), {
  endpoint,
  metadata: { filename: basename(path) },
  ...(parallel ? { parallelUploads: 3, retryDelays: [100, 500, 1000] } : { retryDelays: null, urlStorage: new FileUrlStorage(state) }),
  onSuccess: () => process.exit(0),
  onError: (error) => {
    console.error(error.message);
    process.exit(1);
  },
});
if (!parallel) {
  const [previous] = await upload.findPreviousUploads();
  if (previous !== undefined) {
    console.log("goes on from a stored address");
    upload.resumeFromPreviousUpload(previous);
  }
}
upload.start();
