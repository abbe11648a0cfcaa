/** Orders of the list of uploads, as they stand in an address: `?sort=-size`. */

/** A minus puts the largest, the newest and the end of the alphabet first. */
export const listSorts = ["-time", "time", "name", "-name", "size", "-size"] as const;

export type ListSort = (typeof listSorts)[number];

/** The order where none is asked for. */
export const defaultSort: ListSort = "-time";

export function isListSort(text: string): text is ListSort {
  return listSorts.some((sort) => sort === text);
}
