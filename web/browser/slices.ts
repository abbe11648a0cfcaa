/** Long work in short slices, so that the page answers in between. */

/** Longest slice, ms: two of them fit into the time in which an answer seems to come at once. */
const SLICE_MS = 40;

/** Does one thing after the other. @param onSlice Called when a slice ends, with how many things it did. */
export async function inSlices<T>(things: readonly T[], doOne: (thing: T) => void, onSlice: (count: number) => void): Promise<void> {
  let end = performance.now() + SLICE_MS;
  let count = 0;
  for (const thing of things) {
    doOne(thing);
    count += 1;
    if (performance.now() < end) continue;
    onSlice(count);
    await new Promise((resolve) => setTimeout(resolve));
    end = performance.now() + SLICE_MS;
    count = 0;
  }
  if (count > 0) onSlice(count);
}
