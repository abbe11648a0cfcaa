import { boundary, chunked, head, post } from "../helpers/wire.ts";
import { type Generator, http1, type HostileCase } from "./case.ts";
import { smallForm } from "./forms.ts";
import { uploadOf } from "./http2-cases.ts";
import { segmentOf } from "./segment-cases.ts";

/** Small uploads, one of each kind; a number makes their sessions and files differ. */
const kinds: readonly { readonly name: string; readonly port: HostileCase["port"]; readonly request: (i: number) => Buffer }[] = [
  { name: "a form", port: "http1", request: () => post("/upload", smallForm, { type: `multipart/form-data; boundary=${boundary}` }) },
  { name: "a form in chunks", port: "http1", request: () => Buffer.concat([head("/tiny", { extra: ["Transfer-Encoding: chunked"] }), chunked(smallForm, 40)]) },
  { name: "a raw upload", port: "http1", request: () => post("/raw", Buffer.from("raw content"), { method: "PUT", type: null }) },
  { name: "a piece", port: "http1", request: (i) => post("/piece", Buffer.from("piece"), { type: null, extra: [`X-Path: abort-${i}`, "X-Offset: 0", "X-Length: 9"] }) },
  { name: "a ranged segment", port: "http1", request: (i) => segmentOf(`abort-${i}`, 0, 9) },
  { name: "HTTP/2", port: "http2", request: () => uploadOf("/upload", smallForm) },
];

/** The uploads cut off behind each of their bytes, in turn by a close, a reset and an end of what the client says. */
export function everyAbort(): Generator[] {
  return kinds.flatMap(({ name, port, request }) =>
    Array.from({ length: request(0).length }, (_, i): Generator => {
      const ending = (["close", "reset", "end"] as const)[i % 3]!;
      return { name: `abort at each byte: ${name}`, weight: 1, make: () => ({ ...http1([request(i).subarray(0, i)], ending), port, alsoStatus: [422, 502] }) };
    }),
  );
}
