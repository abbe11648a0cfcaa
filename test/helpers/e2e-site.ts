import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { deploy, destroy, errorOf, terraformEnvironment } from "../../scripts/commands/terraform.ts";
import { checkout } from "../../scripts/core/paths.ts";
import { freePorts } from "../../scripts/local/ports.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { siteFolder } from "../../stacks/site-folder.ts";
import { send, type Target, until } from "./e2e-client.ts";
import { docker, logs, resources } from "./e2e-docker.ts";
import { remove, temporaryFolder } from "./e2e-files.ts";

/** What a command printed, both streams together, and how it ended. */
export interface Outcome {
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** A site that `cdktf deploy` made for a test, with a name and ports of its own. */
export interface DeployedSite extends Target {
  readonly name: string;
  /** Path of the CA certificate. */
  readonly caFile: string;
  /** The site's own folder, with its secrets and state. */
  readonly folder: string;
  /** Names of the containers and volumes. */
  readonly nginx: string;
  readonly service: string;
  readonly dataVolume: string;
  /** Runs a cdktf command on the site as it stands. */
  cdktf(command: "diff" | "deploy" | "destroy"): Promise<Outcome>;
  /** Deploys other props (in place of all that were given before) and waits until the site is healthy. */
  change(props: SiteProps): Promise<Outcome>;
  waitUntilHealthy(): Promise<void>;
  /** Destroys the site with its data, its folder and its images. */
  remove(): Promise<void>;
}

/** A site file in a folder of its own, as an administrator would write it, and the environment that names it. */
class SiteFile {
  readonly name = `sw-e2e-${randomBytes(4).toString("hex")}`;
  readonly workFolder = temporaryFolder();
  readonly #path = join(this.workFolder, "site.ts");
  readonly listen: { readonly httpsPort: number; readonly httpPort: number };

  constructor(listen: { readonly httpsPort: number; readonly httpPort: number }) {
    this.listen = listen;
  }

  write(props: SiteProps): void {
    const site: SiteProps = { name: this.name, ...props, listen: { ...this.listen, ...props.listen } };
    writeFileSync(this.#path, `export default ${JSON.stringify(site, undefined, 2)};\n`);
  }

  async run(argv: readonly string[]): Promise<Outcome> {
    const [program = "", ...rest] = argv;
    const result = await execa(program, rest, {
      cwd: checkout,
      reject: false,
      all: true,
      stdin: "ignore",
      env: { ...terraformEnvironment(process.env["TERRAFORM_BINARY_NAME"] ?? "terraform"), SLIPWAY_SITE: this.#path },
    });
    return { exitCode: result.exitCode, output: result.all };
  }

  /** The same command line as the project's own commands use, with an output folder of this site's. */
  cdktf(command: "diff" | "deploy" | "destroy"): Promise<Outcome> {
    const argv = { deploy: deploy(), destroy: destroy(), diff: [deploy()[0], "diff", "--skip-provider-lock", "--no-color"] }[command];
    return this.run([...argv, "--output", join(this.workFolder, "cdktf.out")]);
  }
}

function mustSucceed(what: string, { exitCode, output }: Outcome): void {
  if (exitCode !== 0) throw new Error(`${what} ended with ${exitCode}:\n${errorOf(output)}`);
}

async function newSiteFile(): Promise<SiteFile> {
  const [httpsPort = 0, httpPort = 0] = await freePorts(2);
  return new SiteFile({ httpsPort, httpPort });
}

/** Deploys a site with these props: secrets and certificate first, as `npm run setup` makes them, then `cdktf deploy`. */
export async function deployDockerSite(props: SiteProps = {}): Promise<DeployedSite> {
  const file = await newSiteFile();
  file.write(props);
  try {
    mustSucceed("npm run setup", await file.run(["npx", "tsx", "scripts/setup.ts"]));
    mustSucceed("cdktf deploy", await file.cdktf("deploy"));
    const site = deployed(file, props);
    await site.waitUntilHealthy();
    return site;
  } catch (error) {
    await removeAll(file);
    throw error;
  }
}

function deployed(file: SiteFile, first: SiteProps): DeployedSite {
  const { name } = file;
  const folder = siteFolder(name);
  const caFile = join(folder, "tls", "ca.pem");
  const target = { url: `https://localhost:${file.listen.httpsPort}`, ca: readFileSync(caFile, "utf8") };
  const nginx = `${name}-nginx`;
  let ownService = first.application === undefined;

  const waitUntilHealthy = async (): Promise<void> => {
    const answers = async (): Promise<boolean> => {
      const answer = await send(target, "/healthz").catch(() => undefined);
      return answer !== undefined && (answer.status === 200 || !ownService);
    };
    await until(`${target.url}/healthz answers`, answers, 60).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${(await logs(nginx)).slice(-3000)}`);
    });
  };
  return {
    ...target,
    name,
    caFile,
    folder,
    nginx,
    service: `${name}-service`,
    dataVolume: `${name}-data`,
    waitUntilHealthy,
    cdktf: (command) => file.cdktf(command),
    async change(props) {
      ownService = props.application === undefined;
      file.write(props);
      const outcome = await file.cdktf("deploy");
      mustSucceed("cdktf deploy", outcome);
      await waitUntilHealthy();
      return outcome;
    },
    remove: () => removeAll(file),
  };
}

/** Removes all that a site may have left, also one of which only a part came to be. */
async function removeAll({ name, workFolder }: SiteFile): Promise<void> {
  for (const container of await resources("container", `${name}-`)) await docker("container", "rm", "--force", "--volumes", container);
  for (const network of await resources("network", `${name}-`)) await docker("network", "rm", network);
  for (const volume of await resources("volume", `${name}-`)) await docker("volume", "rm", "--force", volume);
  // What the images were built from stays, so that the next site's are built from the cache.
  const images = await docker("image", "ls", "--filter", `reference=${name}-*`, "--format", "{{.Repository}}:{{.Tag}}");
  for (const image of images.split("\n").filter(Boolean)) await docker("image", "rm", "--force", "--no-prune", image);
  rmSync(siteFolder(name), { recursive: true, force: true });
  remove(workFolder);
}

/** Deploys props that may be wrong, without any preparation, and says how that ended. */
export async function tryToDeploy(props: SiteProps): Promise<Outcome & { readonly name: string }> {
  const file = await newSiteFile();
  file.write(props);
  try {
    return { name: file.name, ...(await file.cdktf("deploy")) };
  } finally {
    await removeAll(file);
  }
}
