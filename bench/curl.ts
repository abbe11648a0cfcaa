import { spawn } from "node:child_process";
import { Problem } from "../scripts/core/problem.ts";

/** One run of curl. */
export interface CurlResult {
  /** By our own clock, from before its start to its end. */
  readonly seconds: number;
  /** By curl's clock, without its start: what short requests are told apart by. */
  readonly transferSeconds: number;
  readonly status: number;
}

// An Expect header would make those wait that do not answer it.
const ALWAYS = ["-sS", "-o", "/dev/null", "-w", "%{http_code} %{http_version} %{time_total}", "-H", "Expect:"];

/**
 * Runs curl to its end.
 * @throws Problem when the transfer failed, the answer is not 2xx, or HTTP/2 was asked for and not spoken
 */
export async function timedCurl(args: readonly string[]): Promise<CurlResult> {
  const start = performance.now();
  const child = spawn("curl", [...ALWAYS, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, errors] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const seconds = (performance.now() - start) / 1000;
  const [status = "", version = "", total = ""] = out.split(" ");
  if (code !== 0 || !/^2\d\d$/.test(status)) throw new Problem(`curl: status ${status || "none"}, exit code ${code}${errors === "" ? "" : `, ${errors.trim()}`}`);
  if (args.includes("--http2") && version !== "2") throw new Problem(`curl: HTTP/${version} was spoken, not HTTP/2`);
  return { seconds, transferSeconds: Number(total), status: Number(status) };
}
