/** Digests of this device's own files, computed in a worker while they are sent. */

/** A file to hash, or null to give the one with this id up. */
export interface HashRequest {
  readonly id: number;
  readonly file: File | null;
}

export interface HashAnswer {
  readonly id: number;
  /** Lower-case hex; null when the file could not be read or was given up. */
  readonly digest: string | null;
}

/** Most times that the worker's script is asked for; a connection may break just then. */
const TRIES = 4;
/** Wait before it is asked for again, ms. */
const WAIT_MS = 1000;

/** A file that is there is not kept waiting for its digest for longer, ms, and for each of its bytes as at 20 MiB a second. */
const PATIENCE_MS = 20_000;
const PATIENCE_MS_A_BYTE = 1000 / (20 * 1024 * 1024);

/** A file that is hashed. */
export interface Hashing {
  /** Its digest, or null when it does not come in good time: then there is nothing to compare. */
  readonly digestSoon: () => Promise<string | null>;
  readonly stop: () => void;
}

interface Waiting {
  readonly file: File;
  readonly resolve: (digest: string | null) => void;
}

/** The one worker of the page, made when it is first needed. */
export class Hasher {
  private readonly path: string;
  private worker: Worker | null = null;
  private failures = 0;
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();

  /** @param path Address of the worker's script. */
  constructor(path: string) {
    this.path = path;
  }

  /** Starts on a file. */
  start(file: File): Hashing {
    if (this.failures >= TRIES) return { digestSoon: async () => null, stop: () => undefined };
    const worker = this.ensure();
    const id = this.nextId++;
    const digest = new Promise<string | null>((resolve) => this.waiting.set(id, { file, resolve }));
    ask(worker, id, file);
    const digestSoon = (): Promise<string | null> => {
      const timer = setTimeout(() => this.stop(id), PATIENCE_MS + file.size * PATIENCE_MS_A_BYTE);
      return digest.finally(() => clearTimeout(timer));
    };
    return { digestSoon, stop: () => this.stop(id) };
  }

  private stop(id: number): void {
    this.end(id, null);
    if (this.worker !== null) ask(this.worker, id, null);
  }

  private end(id: number, digest: string | null): void {
    this.waiting.get(id)?.resolve(digest);
    this.waiting.delete(id);
  }

  private ensure(): Worker {
    if (this.worker !== null) return this.worker;
    const worker = new Worker(this.path, { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<HashAnswer>) => {
      this.failures = 0;
      this.end(data.id, data.digest);
    });
    worker.addEventListener("error", () => this.lost(worker));
    for (const [id, { file }] of this.waiting) ask(worker, id, file);
    this.worker = worker;
    return worker;
  }

  /** Nothing comes from such a worker any more: another one takes over what waits. */
  private lost(worker: Worker): void {
    worker.terminate();
    if (this.worker !== worker) return;
    this.worker = null;
    this.failures += 1;
    if (this.failures < TRIES) {
      setTimeout(() => this.waiting.size > 0 && this.ensure(), WAIT_MS);
      return;
    }
    for (const id of [...this.waiting.keys()]) this.end(id, null);
  }
}

function ask(worker: Worker, id: number, file: File | null): void {
  worker.postMessage({ id, file } satisfies HashRequest);
}
