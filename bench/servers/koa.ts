import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Busboy, type BusboyHeaders } from "@fastify/busboy";
import Koa from "koa";

/** The usual upload service in Node: Koa, with busboy writing each file of a form below STORE. Arguments: PORT STORE. */
const [port, store = "."] = process.argv.slice(2);

new Koa()
  .use(async (context) => {
    const busboy = new Busboy({ headers: context.req.headers as BusboyHeaders });
    const files: Promise<void>[] = [];
    busboy.on("file", (_name, stream) => files.push(pipeline(stream, createWriteStream(join(store, randomUUID())))));
    await pipeline(context.req, busboy);
    await Promise.all(files);
    context.status = 200;
    context.body = "done";
  })
  .listen(Number(port), "127.0.0.1");
