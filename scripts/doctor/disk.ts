import { statfs } from "node:fs/promises";
import { bytes } from "../../client/display.ts";
import { fail, ok, warn, type Check } from "./check.ts";

const LEAST_BYTES = 1024 ** 3;
const LEAST_SHARE = 0.05;

export const diskCheck: Check = {
  name: "disk",
  run: async ({ status }) => {
    const { store } = status.data;
    if (store === null) return ok("no store yet");
    try {
      const { bavail, blocks, bsize, ffree, files } = await statfs(store);
      const free = bavail * bsize;
      const found = `${bytes(free)} of ${bytes(blocks * bsize)} free in ${store}`;
      if (free < LEAST_BYTES) return fail(found, "uploads will be refused with 507", "delete files, or enlarge the file system");
      if (files > 0 && ffree / files < LEAST_SHARE) return warn(`${ffree} of ${files} inodes free`, "each upload needs three", "delete files, or make a file system with more inodes");
      return bavail / blocks < LEAST_SHARE ? warn(found, "the disk is nearly full", "make room before uploads are refused") : ok(found);
    } catch (error) {
      return fail(`${store} cannot be looked at`, (error as Error).message, "run as root; if the folder is gone, restore it");
    }
  },
};
