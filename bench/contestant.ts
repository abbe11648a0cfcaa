/** How the bytes reach the server. */
export const GROUPS = ["http", "tls", "h2"] as const;
export type Group = (typeof GROUPS)[number];

/** Where a contestant runs. */
export interface Place {
  /** A folder of its own, for configuration and logs. */
  readonly folder: string;
  /** An empty folder for what is uploaded, on the file system that is measured. */
  readonly store: string;
  /** An empty folder for the state of ranged uploads. */
  readonly state: string;
  /** Certificate and key (PEM) for TLS. */
  readonly certificate: string;
  readonly key: string;
}

/** A server that is ready to take uploads. */
export interface Running {
  readonly port: number;
  /** Folder of finished uploads. @default the place's store */
  readonly store?: string;
  /** The processes whose processor time counts. */
  pids(): readonly number[];
  /** Arguments of the curl that uploads a file, its URL included. What has to be asked first is asked here, in the measured time. */
  curl(file: string): Promise<readonly string[]>;
  /** Compares what is in the store with the file that was sent. @default the same bytes @throws Problem when it is another */
  compare?(store: string, input: string): Promise<void>;
  stop(): Promise<void>;
}

/** One way of taking an upload. */
export interface Contestant {
  readonly group: Group;
  /** Unique in its group. */
  readonly name: string;
  /** @throws NotAvailable when this machine or this build of the module cannot do it */
  start(place: Place): Promise<Running>;
}

/** Group and name in one: how a contestant is chosen, and how targets name it. */
export const keyOf = ({ group, name }: { readonly group: string; readonly name: string }): string => `${group}/${name}`;

/** Thrown by a contestant that cannot run here; the benchmark goes on without it, and says so. */
export class NotAvailable extends Error {
  override readonly name = "NotAvailable";
}
