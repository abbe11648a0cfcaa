import { chown, chmod, mkdir, stat } from "node:fs/promises";
import type { SiteSettings } from "../../stacks/settings.ts";
import type { Machine } from "../core/machine.ts";
import { Problem } from "../core/problem.ts";
import { found, made, type Step } from "./step.ts";

/**
 * The directory of a bound store is there; Docker would not make it. One that exists is the administrator's and is
 * left as it is: the container says so when it cannot write to it.
 */
export const storeStep = (machine: Machine, path: string, { uid, gid, directoryMode }: SiteSettings["storage"]): Step => ({
  name: "store",
  after: [],
  run: async () => {
    const about = await stat(path).catch(() => undefined);
    if (about?.isDirectory() === true) return found(`${path} is there, owner ${about.uid}:${about.gid}`);
    if (about !== undefined) throw new Problem(`site.storage.place: not a directory, got "${path}"; name a directory`);
    if (!machine.host.isRoot) {
      throw new Problem(`site.storage.place: no such directory, got "${path}"; run: sudo install -d -o ${uid} -g ${gid} -m ${directoryMode} ${path}`);
    }
    await mkdir(path, { recursive: true });
    await chown(path, uid, gid);
    await chmod(path, Number.parseInt(directoryMode, 8));
    return made(`made ${path}, owner ${uid}:${gid}, mode ${directoryMode}`);
  },
});
