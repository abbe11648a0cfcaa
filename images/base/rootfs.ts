/** Debian release of an image name: `trixie` of `debian:trixie-slim`; `undefined` for any other kind of image. */
export function suiteOf(image: string): string | undefined {
  return /^(?:docker\.io\/)?(?:library\/)?debian:([a-z]+)(?:-slim)?$/.exec(image)?.[1];
}

/** What the slim images leave out, and the licences that they keep. */
const SLIM = [
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/info/*",
  "path-exclude=/usr/share/locale/*",
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
] as const;

/** Sources of a release: itself, its updates and its security fixes. */
export const suiteSources = (suite: string, mirror: string): readonly string[] => [
  `deb ${mirror} ${suite} main`,
  `deb ${mirror} ${suite}-updates main`,
  `deb ${mirror}-security ${suite}-security main`,
];

/** Arguments of mmdebstrap for a minimal Debian root file system as a tar file, like the official slim image. */
export const bootstrap = (suite: string, mirror: string, tar: string): readonly string[] => [
  "--variant=minbase", "--include=ca-certificates",
  ...SLIM.map((option) => `--dpkgopt=${option}`),
  '--aptopt=APT::Install-Recommends "false"',
  suite, tar, ...suiteSources(suite, mirror),
];
