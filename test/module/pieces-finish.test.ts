import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { type AlmostWhole, almostWhole, almostWholeState, MISSING, pieceHead, piecesSite } from "../helpers/pieces.ts";
import { bytesRead } from "../helpers/proc.ts";
import { leastOf, timeOf } from "../helpers/steady.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange } from "../helpers/wire.ts";

const MiB = 1024 * 1024;
/** Milliseconds that the end of a file may take longer for what came before. */
const MOST_LONGER = 1000;

/** Sends the last piece of a file, which nothing is read of. @returns milliseconds */
async function end(nginx: Nginx, file: AlmostWhole): Promise<number> {
  const path = `${nginx.store}/file`;
  for (const one of [path, `${path}.state`]) rmSync(one, { force: true });
  writeFileSync(path, "");
  truncateSync(path, file.size - MISSING);
  writeFileSync(`${path}.state`, almostWholeState(path, file));
  const before = bytesRead(nginx.workers());
  const took = await timeOf(async () => {
    const { status } = await exchange(nginx.port, pieceHead(path, file.size - MISSING, MISSING, [`X-Length: ${file.size}`]), Buffer.alloc(MISSING));
    expect([status, fieldOf(nginx.passed.at(-1), "outcome"), fieldOf(nginx.passed.at(-1), "sha256")]).toEqual([200, "complete", file.sha256]);
  });
  // nginx receives from sockets: only what it reads of files counts here.
  const read = bytesRead(nginx.workers()) - before;
  console.info(`${file.size / MiB} MiB: the last ${MISSING / MiB} MiB took ${took.toFixed(0)} ms, of files ${read} bytes were read`);
  expect(read).toBeLessThan(MiB);
  return took;
}

describe("module: the last piece of a file", () => {
  it("ends 64 GiB as soon as 64 MiB, without reading what was digested before", async () => {
    await withNginx(piecesSite({ workers: 1 }), async (nginx) => {
      const [small, large] = almostWhole as [AlmostWhole, AlmostWhole];
      const longer = async (): Promise<number> => {
        const least = await end(nginx, small);
        return (await end(nginx, large)) - least;
      };
      expect(await leastOf(MOST_LONGER, longer)).toBeLessThan(MOST_LONGER);
    });
  });
});
