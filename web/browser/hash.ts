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

/** The one worker of the page, made when it is first needed. */
export class Hasher {
  private readonly path: string;
  private worker: Worker | null = null;
  private nextId = 1;
  private readonly waiting = new Map<number, (digest: string | null) => void>();

  /** @param path Address of the worker's script. */
  constructor(path: string) {
    this.path = path;
  }

  /** Starts on a file. `digest` is null when it could not be had: then there is nothing to compare. */
  start(file: File): { readonly digest: Promise<string | null>; readonly stop: () => void } {
    const worker = this.ensure();
    const id = this.nextId++;
    const digest = new Promise<string | null>((resolve) => this.waiting.set(id, resolve));
    worker.postMessage({ id, file } satisfies HashRequest);
    return { digest, stop: () => worker.postMessage({ id, file: null } satisfies HashRequest) };
  }

  private ensure(): Worker {
    if (this.worker !== null) return this.worker;
    const worker = new Worker(this.path, { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<HashAnswer>) => {
      this.waiting.get(data.id)?.(data.digest);
      this.waiting.delete(data.id);
    });
    worker.addEventListener("error", () => {
      for (const resolve of this.waiting.values()) resolve(null);
      this.waiting.clear();
    });
    this.worker = worker;
    return worker;
  }
}
