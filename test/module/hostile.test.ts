import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { fieldBlock, flags, frame, frameTypes, preface, settings, statusesIn } from "../hostile/frames.ts";
import { smallForm } from "../hostile/forms.ts";
import { hostileRun } from "../hostile/run.ts";
import { prepareModule, withNginx } from "../helpers/nginx.ts";
import { uploadSite } from "../helpers/upload-site.ts";
import { boundary } from "../helpers/wire.ts";

beforeAll(() => prepareModule(true), 300_000);

describe("module: a storm of hostile requests", () => {
  it("finds nothing with the sanitizers, and the next upload works (npm run test:hostile makes a long one)", async () => {
    const seed = Number(process.env["SLIPWAY_HOSTILE_SEED"] ?? Date.now() % 1_000_000);
    const report = await hostileRun({ seed, count: 4000, sanitize: true });
    expect(report.findings, `seed ${seed}`).toEqual([]);
    expect(report.done).toBe(4000);
    // The storm is worth something only while many of its requests get through to the module.
    expect(report.uploads).toBeGreaterThan(300);
    expect(report.statuses.get("broken form")?.get("400")).toBeGreaterThan(20);
  }, 120_000);
});

describe("module: a DATA frame whose padding comes in two pieces", () => {
  // nginx 1.22 itself answers 500 and says "http2 negative window update" with proxy_request_buffering off.
  it("is as good as any other", async () => {
    const options = uploadSite("", { listen: "listen 127.0.0.1:%PORT% http2;", expectLog: /http2 negative window update/ });
    await withNginx(options, async ({ port }) => {
      const fields = [[":method", "POST"], [":scheme", "http"], [":path", "/upload"], [":authority", "x"], ["content-type", `multipart/form-data; boundary=${boundary}`]] as const;
      const start = Buffer.concat([preface, settings(), frame(frameTypes.headers, flags.endHeaders, 1, fieldBlock(fields))]);
      const padded = frame(frameTypes.data, flags.padded, 1, Buffer.concat([Buffer.from([200]), smallForm, Buffer.alloc(200)]));
      const end = frame(frameTypes.data, flags.endStream, 1);
      const socket = connect(port, "127.0.0.1");
      const received: Buffer[] = [];
      socket.on("data", (data) => received.push(data));
      for (const piece of [Buffer.concat([start, padded.subarray(0, 40)]), padded.subarray(40, 210), Buffer.concat([padded.subarray(210), end])]) {
        socket.write(piece);
        await sleep(100);
      }
      for (let i = 0; i < 300 && statusesIn(Buffer.concat(received)).length === 0; i++) await sleep(100);
      socket.destroy();
      expect(statusesIn(Buffer.concat(received))).toEqual([200]);
    });
  });
});
