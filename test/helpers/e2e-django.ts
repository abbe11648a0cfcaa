import { randomBytes } from "node:crypto";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { docker } from "./e2e-docker.ts";
import { remove, temporaryFolder } from "./e2e-files.ts";
import { pythonPackages } from "./e2e-python.ts";

const fixture = join(import.meta.dirname, "../fixtures/django");

/** A Docker network of a test's own that the application stands on. */
export interface ApplicationNetwork {
  readonly name: string;
  /** Starts the Django application under the name `django`, with the site's store mounted, as the site's user. */
  start(at: { readonly volume: string; readonly store: string; readonly user: string }): Promise<string>;
  /** Ends the application, so that the site's volume can be removed. */
  stop(): Promise<void>;
  /** Removes the network, when the site that joined it is gone. */
  remove(): Promise<void>;
}

/** Builds the application's image; Docker's cache makes it free from the second time on. */
async function buildImage(tag: string): Promise<void> {
  const context = temporaryFolder();
  try {
    cpSync(fixture, context, { recursive: true });
    cpSync(await pythonPackages("django"), join(context, "packages"), { recursive: true });
    await docker("build", "--quiet", "--tag", tag, context);
  } finally {
    remove(context);
  }
}

/** Makes the network; what is started on it goes with it. */
export async function applicationNetwork(): Promise<ApplicationNetwork> {
  const name = `sw-e2e-app-${randomBytes(4).toString("hex")}`;
  await docker("network", "create", name);
  return {
    name,
    async start({ volume, store, user }) {
      const image = "sw-e2e-django:test";
      await buildImage(image);
      const environment = { DJANGO_SECRET_KEY: randomBytes(32).toString("hex"), UPLOADS_FOLDER: `${store}/archive` };
      const container = `${name}-django`;
      await docker(
        ...["run", "--detach", "--name", container, "--network", name, "--network-alias", "django", "--user", user],
        ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
        ...["--mount", `type=volume,source=${volume},target=${store}`, image],
      );
      return container;
    },
    async stop() {
      const containers = (await docker("ps", "--all", "--quiet", "--filter", `name=${name}-`)).split("\n").filter(Boolean);
      if (containers.length > 0) await docker("container", "rm", "--force", "--volumes", ...containers);
    },
    async remove() {
      await docker("network", "rm", name);
    },
  };
}
