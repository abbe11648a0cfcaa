/** The list's parameters, as they stand in an address. */
import type { ParsedUrlQuery } from "node:querystring";
import { isId } from "../protocol/id.ts";
import { defaultSort, isListSort, listSorts } from "../protocol/list-sort.ts";
import { plainLine } from "../protocol/text.ts";
import type { ListQuery } from "./records/records.ts";
import { Refusal } from "./refusal.ts";

const defaultLimit = 50;
const mostLimit = 200;
const longestText = 200;

function single(query: ParsedUrlQuery, name: string): string {
  const value = query[name] ?? "";
  if (Array.isArray(value)) throw new Refusal("bad_query", `${name}: given ${value.length} times; give it once.`);
  return value;
}

/**
 * Reads `limit`, `after`, `q` and `sort`.
 * @throws {Refusal} `bad_query`
 */
export function readListQuery(query: ParsedUrlQuery): ListQuery {
  const limit = single(query, "limit");
  const after = single(query, "after");
  const text = plainLine(single(query, "q")).trim();
  const sort = single(query, "sort") || defaultSort;
  if (limit !== "" && !(/^[1-9]\d{0,2}$/.test(limit) && Number(limit) <= mostLimit)) {
    throw new Refusal("bad_query", `limit: not a number from 1 to ${mostLimit}, got ${JSON.stringify(limit.slice(0, 40))}.`);
  }
  if (after !== "" && !isId(after)) throw new Refusal("bad_query", `after: not the id of an upload, got ${JSON.stringify(after.slice(0, 40))}.`);
  if (text.length > longestText) throw new Refusal("bad_query", `q: ${text.length} characters long; at most ${longestText} are searched for.`);
  if (!isListSort(sort)) throw new Refusal("bad_query", `sort: must be one of ${listSorts.join(", ")}, got ${JSON.stringify(sort.slice(0, 40))}.`);
  return { limit: limit === "" ? defaultLimit : Number(limit), after: after === "" ? null : after, text, sort };
}

/**
 * Reads `state`: which uploads are asked for.
 * @throws {Refusal} `bad_query`
 */
export function readStateQuery(query: ParsedUrlQuery): "complete" | "receiving" {
  const state = single(query, "state") || "complete";
  if (state === "complete" || state === "receiving") return state;
  throw new Refusal("bad_query", `state: must be complete or receiving, got ${JSON.stringify(state.slice(0, 40))}.`);
}

/** Ids in `new=<id>,<id>`; whatever else stands there is left out. */
export function readNewIds(query: ParsedUrlQuery): readonly string[] {
  return [query["new"] ?? []].flat().flatMap((text) => text.split(",")).filter(isId);
}
