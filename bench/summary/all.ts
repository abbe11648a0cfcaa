import type { Report } from "../report.ts";
import { AXES } from "../suites/growth.ts";
import type { Table } from "../table.ts";
import { filesNotes, filesTable } from "./files.ts";
import { growthNotes, growthTable } from "./growth.ts";
import { linkCheckTable, linkNotes, linkTable } from "./link.ts";
import { latencyTable, loadTable, scaleNotes } from "./scale.ts";
import { speedNotes, speedTable } from "./speed.ts";

function allTables(report: Report): Table[] {
  switch (report.suite) {
    case "speed":
    case "close":
      return [speedTable(report)];
    case "scale":
      return [loadTable(report), latencyTable(report)];
    case "growth":
      return AXES.map((axis) => growthTable(report, axis));
    case "link":
      return [linkCheckTable(report), linkTable(report)];
    case "files":
      return [filesTable(report)];
  }
}

/** A report as tables, those without rows left out. */
export const tablesOf = (report: Report): Table[] => allTables(report).filter(({ rows }) => rows.length > 0);

/** What a report has to say beside its tables: what was not measured, and why. */
export function notesOf(report: Report): string[] {
  switch (report.suite) {
    case "speed":
    case "close":
      return speedNotes(report);
    case "scale":
      return scaleNotes(report);
    case "growth":
      return growthNotes(report);
    case "link":
      return linkNotes(report);
    case "files":
      return filesNotes(report);
  }
}
