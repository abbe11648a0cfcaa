import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutDocker } from "../helpers/e2e-docker.ts";
import { type Exchange, stored } from "../helpers/matrix-cases.ts";
import { TestKeys } from "../helpers/matrix-http2.ts";
import { exchanges, matrixServer, overlong } from "../helpers/matrix-pieces.ts";
import { families, http3, type Place, type Reply, type Transport } from "../helpers/matrix-transports.ts";
import { type Answer, type NginxOptions, type NginxProgram, type Passed, withNginx } from "../helpers/nginx.ts";
import { gone, newest, programOf, trixie } from "../helpers/trixie.ts";
import { fieldsOf } from "../helpers/upload-site.ts";
import { head, WireClient } from "../helpers/wire.ts";

/** The application: it reads each file, removes it, and notes the form that it got. */
class Application {
  readonly forms = new Map<number, (readonly [string, string])[][]>();

  readonly answer = (passed: Passed): Answer => {
    const number = Number(new URLSearchParams(passed.url.split("?")[1]).get("x"));
    const fields = fieldsOf(passed);
    const partial = fields.some(([name, value]) => name === "outcome" && value === "partial");
    const form = fields.map(([name, value]) => [name, /(^|\.)path$/.test(name) ? this.#read(value, partial) : value] as const);
    this.forms.set(number, [...(this.forms.get(number) ?? []), form]);
    return { body: `done ${number}` };
  };

  #read(path: string, keep: boolean): string {
    const content = readFileSync(path);
    if (!keep) for (const name of [path, `${path}.state`]) rmSync(name, { force: true });
    return stored(content);
  }
}

/** What came of an exchange, in the terms of what must. */
const outcome = ({ status, body }: Reply, forms: readonly unknown[] = [], { fields, answer }: Exchange): object => ({ status, forms, body: fields ?? answer ? body : "" });

const wanted = ({ status, fields, answer }: Exchange, number: number): object => ({ status, forms: fields === undefined ? [] : [fields], body: fields === undefined ? (answer ?? "") : `done ${number}` });

/** The exchanges with a word of their own in place of %RUN%. */
function freshRun(list: readonly Exchange[]): Exchange[] {
  const word = randomBytes(4).toString("hex");
  const fill = (text: string): string => text.replace("%RUN%", word);
  return list.map((exchange) => ({ ...exchange, path: fill(exchange.path), headers: Object.fromEntries(Object.entries(exchange.headers ?? {}).map(([name, value]) => [name, fill(value)])) }));
}

let keys: TestKeys;
beforeAll(() => {
  keys = new TestKeys();
});
afterAll(() => keys.remove());

/** Carries exchanges over every transport to one nginx. */
async function carry(transports: readonly Transport[], listen: string, program?: NginxProgram, list: readonly Exchange[] = exchanges): Promise<void> {
  let application = new Application();
  const answer = (passed: Passed): Answer => application.answer(passed);
  // What was written of a piece that turns out to be too long counts, and stays.
  const keepsFiles = list !== exchanges;
  const options: NginxOptions = { server: matrixServer, listen: `${listen} ${keys.directives}`, answer, keepsFiles, ...(program === undefined ? {} : { program }) };
  await withNginx(options, async (site) => {
    const place: Place = { site, ca: keys.certificate, program };
    for (const transport of transports) {
      application = new Application();
      const run = freshRun(list);
      const replies = await transport.run(place, run);
      for (const [number, exchange] of run.entries()) {
        const got = outcome(replies[number]!, application.forms.get(number), exchange);
        expect(got, `${transport.name}: ${exchange.name}`).toEqual(wanted(exchange, number));
      }
    }
  });
}

const OLD = "listen 127.0.0.1:%PORT%; listen unix:%FOLDER%/h2.sock http2; listen 127.0.0.1:%TLS_PORT% ssl http2;";
const NEW = "listen 127.0.0.1:%PORT%; listen unix:%FOLDER%/h2.sock; listen 127.0.0.1:%TLS_PORT% ssl; http2 on;";
const QUIC = "listen 127.0.0.1:%TLS_PORT% quic;";

describe("module: one outcome over every protocol, this host's nginx", { timeout: 120_000 }, () => {
  it.each(Object.entries(families))("%s", async (_, transports) => {
    await carry(transports, OLD);
  });

  it("a piece that is longer than its file", async () => {
    await carry(Object.values(families).flat(), OLD, undefined, [overlong]);
  });
});

describe("module: a refusal before the body is read", () => {
  // nginx closes behind it, so that a client must not send its next request on the same connection.
  it.each(exchanges.filter(({ status, body }) => (status === 405 || status === 415) && body.length > 0))("$name: says that the connection ends", async (exchange) => {
    await withNginx({ server: matrixServer }, async ({ port }) => {
      const options = { method: exchange.method, length: exchange.body.length, ...(exchange.type === undefined ? {} : { type: exchange.type }) };
      const client = await WireClient.open(port);
      client.write(Buffer.concat([head(exchange.path, options), exchange.body]));
      const { headers } = await client.answer();
      await client.closed();
      expect(headers["connection"]).toBe("close");
    });
  });
});

const missing = withoutDocker();
for (const release of [trixie, newest]) {
  const reason = missing ?? (await gone(release));
  describe.skipIf(reason)(`module: one outcome over every protocol, nginx of Debian ${release.name}${reason ? ` (skipped: ${reason})` : ""}`, { timeout: 120_000 }, () => {
    let program: NginxProgram;
    beforeAll(async () => {
      program = await programOf(release, [keys.folder]);
    }, 900_000);

    it.each(Object.entries(families))("%s", async (_, transports) => {
      await carry(transports, NEW, program);
    });

    it("HTTP/3", async () => {
      await carry(http3, `${NEW} ${QUIC}`, program);
    });
  });
}
