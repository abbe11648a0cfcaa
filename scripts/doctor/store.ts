import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fail, ok, type Check } from "./check.ts";

export const storeCheck: Check = {
  name: "store",
  run: async ({ settings, status, machine }) => {
    const { store } = status.data;
    if (store === null) return ok("no store yet; made with the first container");
    const { uid, gid, directoryMode } = settings.storage;
    const owner = status.placement === "local" && !machine.host.isRoot ? [process.getuid?.(), process.getgid?.()] : [uid, gid];
    for (const folder of ["incoming", "files"].map((name) => join(store, name))) {
      try {
        const about = await stat(folder);
        const mode = (about.mode & 0o7777).toString(8).padStart(4, "0");
        if (about.uid !== owner[0] || about.gid !== owner[1] || mode !== directoryMode) {
          return fail(`${folder} is ${about.uid}:${about.gid} ${mode}`, `the site needs ${owner.join(":")} ${directoryMode}`, `chown ${owner.join(":")} ${folder} && chmod ${directoryMode} ${folder}`);
        }
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return fail(`${folder} cannot be looked at`, code === "EACCES" ? "only root may" : "it is gone", code === "EACCES" ? "run as root" : "npm run up makes it again");
      }
    }
    return ok(`${store}: owner ${owner.join(":")}, mode ${directoryMode}`);
  },
};
