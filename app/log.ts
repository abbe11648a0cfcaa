/** Structured logs: one JSON object a line. */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import type { LogLevel } from "./config.ts";

export type Log = Logger;

/**
 * A log that names levels and writes times as ISO 8601.
 * @param destination where the lines go
 * @default standard output, unbuffered, so that a killed service loses no line
 */
export function makeLog(level: LogLevel, destination: DestinationStream = pino.destination({ fd: 1, sync: true })): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
