import { describe, expect, it } from "vitest";
import { elapsed, formatEntry, type LogEntry } from "../../scripts/core/log.ts";
import { Problem, problemsOf } from "../../scripts/core/problem.ts";
import { found, made, runSteps, type Step } from "../../scripts/steps/step.ts";

const step = (name: string, after: readonly string[], run: Step["run"]): Step => ({ name, after, run });
const kinds = (entries: readonly LogEntry[]): string[] => entries.map(({ kind, name }) => `${kind} ${name}`);

describe("running steps", () => {
  it("starts a step when those it needs have ended, and independent ones side by side", async () => {
    const order: string[] = [];
    let release = (): void => undefined;
    const blocked = new Promise<void>((resolve) => (release = resolve));
    const changed = await runSteps(
      [
        step("slow", [], async () => (await blocked, order.push("slow"), made("x"))),
        step("quick", [], async () => (order.push("quick"), release(), found("x"))),
        step("last", ["slow", "quick", "not in this run"], async () => (order.push("last"), made("x"))),
      ],
      () => undefined,
    );
    expect(order).toEqual(["quick", "slow", "last"]);
    expect(changed).toEqual(["slow", "last"]);
  });

  it("leaves out what needs a step that failed, runs the rest, and tells every problem at once", async () => {
    const entries: LogEntry[] = [];
    const run = runSteps(
      [
        step("a", [], async () => Promise.reject(new Problem(["a: first", "a: second"]))),
        step("needs a", ["a"], async () => made("never")),
        step("b", [], async () => made("fine")),
        step("c", [], async () => Promise.reject(new Error("c: broke"))),
      ],
      (entry) => entries.push(entry),
    );
    await expect(run).rejects.toMatchObject({ problems: ["a: first", "a: second", "c: broke"] });
    expect(kinds(entries).sort()).toEqual(["fail a", "fail c", "made b", "wait needs a"]);
  });
});

describe("the log", () => {
  it.each([
    [{ kind: "found", name: "docker", text: "engine 20.10 answers", ms: 40 }, "ok    docker         engine 20.10 answers (0.0 s)"],
    [{ kind: "made", name: "provider", text: "built", ms: 245_000 }, "done  provider       built (4 min 05 s)"],
    [{ kind: "fail", name: "x", text: "why", ms: 12_345 }, "FAIL  x              why (12 s)"],
    [{ kind: "begin", name: "x", text: "starting" }, "...   x              starting"],
    [{ kind: "warn", name: "x", text: "careful" }, "warn  x              careful"],
    [{ kind: "output", name: "x", text: "a\nb" }, "      | a\n      | b"],
  ] as const)("writes %j", (entry, text) => expect(formatEntry(entry)).toBe(text));

  it.each([[0, "0.0 s"], [9_940, "9.9 s"], [9_960, "10 s"], [59_400, "59 s"], [60_000, "1 min 00 s"]])("writes %d ms as %s", (ms, text) => expect(elapsed(ms)).toBe(text));

  it("shows all problems of an error that has several, else its message", () => {
    expect(problemsOf(new Problem(["a", "b"]))).toEqual(["a", "b"]);
    expect(problemsOf(new Error("c"))).toEqual(["c"]);
    expect(problemsOf("d")).toEqual(["d"]);
  });
});
