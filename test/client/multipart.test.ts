import { describe, expect, it } from "vitest";
import { escapeParameter, formFrame, wholeForm } from "../../client/send/multipart.ts";

describe("the form around a file", () => {
  it("puts the fields before the file and ends the form", () => {
    const { contentType, head, tail } = formFrame({ terminal: "yes", description: "two\nlines" }, { field: "file", name: "run 1.h5" });
    const boundary = /^multipart\/form-data; boundary=(slipway-[0-9a-f]{48})$/.exec(contentType)?.[1];
    expect(boundary).toBeDefined();
    expect(head.toString()).toBe(
      `--${boundary}\r\nContent-Disposition: form-data; name="terminal"\r\n\r\nyes\r\n` +
        `--${boundary}\r\nContent-Disposition: form-data; name="description"\r\n\r\ntwo\nlines\r\n` +
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="run 1.h5"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    );
    expect(tail.toString()).toBe(`\r\n--${boundary}--\r\n`);
  });

  it("holds several files of one input, in their order", () => {
    const { contentType, body } = wholeForm([["relativePath", "a/1"], ["relativePath", "2"]], "file", [{ name: "1", bytes: Buffer.from("one") }, { name: "2", bytes: Buffer.alloc(0) }]);
    const boundary = contentType.slice("multipart/form-data; boundary=".length);
    const field = (path: string): string => `--${boundary}\r\nContent-Disposition: form-data; name="relativePath"\r\n\r\n${path}\r\n`;
    const file = (name: string, text: string): string => `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n${text}\r\n`;
    expect(body.toString()).toBe(`${field("a/1")}${field("2")}${file("1", "one")}${file("2", "")}--${boundary}--\r\n`);
  });

  it("takes a new boundary for every file", () => {
    expect(formFrame({}, { field: "f", name: "n" }).contentType).not.toBe(formFrame({}, { field: "f", name: "n" }).contentType);
  });

  it("lets no name end its parameter or its header", () => {
    expect(escapeParameter('a"; name="x\r\nEvil: 1')).toBe("a%22; name=%22x%0D%0AEvil: 1");
    expect(escapeParameter("Übung 🚀.txt")).toBe("Übung 🚀.txt");
  });
});
