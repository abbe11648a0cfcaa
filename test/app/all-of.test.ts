import { expect, it } from "vitest";
import { allOf } from "../../app/store/all-of.ts";

it("works on all at once and keeps their order", async () => {
  let begun = 0;
  const all = await allOf(["a", "b", "c"], async (item, index) => {
    begun += 1;
    await new Promise((resolve) => setTimeout(resolve, 5 * (3 - index)));
    return `${item}${index} ${begun}`;
  });
  expect(all).toEqual(["a0 3", "b1 3", "c2 3"]);
});

it("fails with the first error, when nothing runs any more", async () => {
  let ended = 0;
  const work = async (item: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 5 * item));
    ended += 1;
    if (item < 3) throw new Error(`number ${item}`);
  };
  await expect(allOf([3, 2, 1], work)).rejects.toThrow("number 2");
  expect(ended).toBe(3);
});
