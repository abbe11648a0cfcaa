import { readFileSync, unlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutDocker } from "../helpers/e2e-docker.ts";
import { type Exchange, exchanges, matrixServer, stored } from "../helpers/matrix-cases.ts";
import { TestKeys } from "../helpers/matrix-http2.ts";
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
    const form = fieldsOf(passed).map(([name, value]) => [name, name.endsWith(".path") ? this.#take(value) : value] as const);
    this.forms.set(number, [...(this.forms.get(number) ?? []), form]);
    return { body: `done ${number}` };
  };

  #take(path: string): string {
    const content = readFileSync(path);
    unlinkSync(path);
    return stored(content);
  }
}

/** What came of an exchange, in the terms of what must. */
const outcome = ({ status, body }: Reply, forms: readonly unknown[] | undefined): object => ({ status, forms: forms ?? [], body: forms === undefined ? "" : body });

const wanted = ({ status, fields }: Exchange, number: number): object => ({ status, forms: fields === undefined ? [] : [fields], body: fields === undefined ? "" : `done ${number}` });

let keys: TestKeys;
beforeAll(() => {
  keys = new TestKeys();
});
afterAll(() => keys.remove());

/** Carries every exchange over every transport to one nginx. */
async function carry(transports: readonly Transport[], listen: string, program?: NginxProgram): Promise<void> {
  let application = new Application();
  const answer = (passed: Passed): Answer => application.answer(passed);
  const options: NginxOptions = { server: matrixServer(), listen: `${listen} ${keys.directives}`, answer, ...(program === undefined ? {} : { program }) };
  await withNginx(options, async (site) => {
    const place: Place = { site, ca: keys.certificate, program };
    for (const transport of transports) {
      application = new Application();
      const replies = await transport.run(place, exchanges);
      for (const [number, exchange] of exchanges.entries()) {
        const got = outcome(replies[number]!, application.forms.get(number));
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
});

describe("module: a refusal before the body is read", () => {
  // nginx closes behind it, so that a client must not send its next request on the same connection.
  it.fails.each(exchanges.filter(({ status }) => status === 405 || status === 415))("$name: says that the connection ends", async (exchange) => {
    await withNginx({ server: matrixServer() }, async ({ port }) => {
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
