import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { freePorts } from "../../scripts/local/ports.ts";

const [first = 0, last = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/).map(Number);

it("are all different", async () => {
  expect(new Set([...(await freePorts(200)), ...(await freePorts(1))]).size).toBe(201);
});

it.skipIf(first < 11_000)("are not of those that connections going out are given; skipped where these begin so low that few are left", async () => {
  expect((await freePorts(200)).filter((port) => port >= first && port <= last)).toEqual([]);
});

it("are none that another program listens on", async () => {
  const [next = 0] = await freePorts(1);
  const taken = createServer().listen(next + 1, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  try {
    expect(await freePorts(3)).not.toContain(next + 1);
  } finally {
    taken.close();
  }
});

it("are refused with the reason where there is no such address", async () => {
  await expect(freePorts(1, "192.0.2.1")).rejects.toThrow("EADDRNOTAVAIL");
});
