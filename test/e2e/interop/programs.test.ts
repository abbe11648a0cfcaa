/** Programs and libraries of others against a whole site: each is cut once in the middle of its file. */
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { withoutLocal } from "../../helpers/e2e-local.ts";
import { withoutPython } from "../../helpers/e2e-python.ts";
import { nodeClients, pythonClients, withoutClients } from "./clients.ts";
import { BYTES, makeRig, type Rig, TIMEOUT_MS } from "./rig.ts";

const skip = withoutLocal() ?? withoutPython() ?? (await withoutClients(nodeClients)) ?? (await withoutClients(pythonClients));
/** How a program ended. */
interface Result {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A client that goes on sends so much of a file at most: what had not been written at the cut, and what frames it. */
const GOES_ON = 1.1;

describe.skipIf(skip !== undefined)(`programs of others${skip === undefined ? "" : `: skipped, ${skip}`}`, () => {
  let rig: Rig;
  let clients: string;
  let python: string;

  beforeAll(async () => {
    [clients, python] = await Promise.all([nodeClients(), pythonClients()]);
    rig = await makeRig();
  }, 240_000);
  afterEach(() => rig?.clear());
  afterAll(() => rig?.stop());

  async function run(program: string, argv: readonly string[]): Promise<Result> {
    const ca = rig.site.site.caFile ?? "";
    const { exitCode, stdout, stderr } = await execa(program, argv, { reject: false, env: { PYTHONPATH: python, REQUESTS_CA_BUNDLE: ca, NODE_EXTRA_CA_CERTS: ca, CURL_CA_BUNDLE: ca } });
    return { exitCode, stdout, stderr };
  }
  const tusJs = (url: string, how: "parallel" | "stored"): Promise<Result> => run(process.execPath, [join(clients, "tus-upload.mjs"), `${url}/tus/`, rig.path, how, join(rig.folder, "state")]);
  const upload = (how: string, url: string): Promise<Result> => run("python3", [join(import.meta.dirname, "upload.py"), how, url, rig.path]);

  function mustSucceed({ exitCode, stderr, stdout }: Result): void {
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  }

  it("tus-js-client goes on by itself, three parts at once", async () => {
    const { url, proxy } = await rig.line();
    mustSucceed(await tusJs(url, "parallel"));
    expect(await rig.expectWhole("tus-js-client, parallelUploads: 3", proxy)).toBeLessThan(GOES_ON);
  }, TIMEOUT_MS);

  it("tus-js-client goes on from a stored address in another process", async () => {
    const { url, proxy } = await rig.line();
    expect((await tusJs(url, "stored")).exitCode).toBe(1);
    const again = await tusJs(url, "stored");
    mustSucceed(again);
    expect(again.stdout).toContain("goes on from a stored address");
    expect(await rig.expectWhole("tus-js-client, stored address", proxy)).toBeLessThan(GOES_ON);
  }, TIMEOUT_MS);

  it("tuspy goes on by itself", async () => {
    const { url, proxy } = await rig.line();
    mustSucceed(await upload("tus", `${url}/tus/`));
    expect(await rig.expectWhole("tuspy", proxy)).toBeLessThan(GOES_ON);
  }, TIMEOUT_MS);

  const curl = ["-sS", "--fail-with-body", "-o", "/dev/null"];
  const whole: readonly (readonly [string, (url: string) => Promise<Result>])[] = [
    ["curl -T", (url) => run("curl", [...curl, "-T", rig.path, `${url}/upload/`])],
    ["curl -F", (url) => run("curl", [...curl, "-H", "Expect:", "-F", `file=@${rig.path}`, `${url}/upload`])],
    ["wget --method=PUT", (url) => run("wget", ["-q", "-O", "/dev/null", "--tries=1", `--ca-certificate=${rig.site.site.caFile}`, "--method=PUT", `--body-file=${rig.path}`, `${url}/upload/interop.bin`])],
    ["requests, put", (url) => upload("requests", `${url}/upload/interop.bin`)],
    ["requests-toolbelt, form", (url) => upload("toolbelt", `${url}/upload`)],
  ];

  it.each(whole)("%s leaves nothing when it is cut, and comes whole the second time", async (name, send) => {
    const { url, proxy } = await rig.line();
    expect((await send(url)).exitCode).not.toBe(0);
    await rig.site.expectNothingKept();
    mustSucceed(await send(url));
    await rig.expectWhole(name, proxy);
  }, TIMEOUT_MS);

  it("curl -C goes on with the second of two ranged segments", async () => {
    const { url, proxy } = await rig.line();
    const first = BYTES / 4;
    const more = ["-X", "POST", "-H", "Session-ID: curl", "-H", 'Content-Disposition: attachment; filename="interop.bin"', "-H", "Content-Type: application/octet-stream"];
    const begin = `head -c ${first} "$0" | curl "$@" -H "Content-Range: bytes 0-${first - 1}/${BYTES}" -T -`;
    mustSucceed(await run("bash", ["-c", begin, rig.path, ...curl, ...more, `${url}/upload`]));
    const goOn = (): Promise<Result> => run("curl", [...curl, ...more, "-C", String(first), "-T", rig.path, `${url}/upload`]);
    expect((await goOn()).exitCode).not.toBe(0);
    mustSucceed(await goOn());
    await rig.expectWhole("curl -C, ranged segments", proxy);
  }, TIMEOUT_MS);

  it("curl -C is refused where the body is taken for the whole file", async () => {
    const answer = await run("curl", ["-sS", "--fail-with-body", "-C", "1000", "-T", rig.path, `${rig.site.url}/upload/`]);
    expect([answer.exitCode, answer.stdout]).toEqual([22, expect.stringContaining("Content-Range")]);
    await rig.site.expectNothingKept();
  }, TIMEOUT_MS);
});
