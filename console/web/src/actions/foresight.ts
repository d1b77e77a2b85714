// What a command will make of a row, so that it can be shown before the server has answered.

import type { CommandName, Level, Named, Outcome, Row } from "../api/shapes.js";

interface Fields {
  next_update_by?: string;
  outcome?: Outcome;
}

/** The row after the command, as far as it can be foreseen; a note and an undo change nothing that shows. */
export function applied(row: Row, command: CommandName, fields: Fields, by: string, office: Named | null): Row {
  switch (command) {
    case "acknowledge":
      return { ...row, state: "acknowledged", taken_by: by, next_update_by: fields.next_update_by ?? null };
    case "assign":
      return office ? { ...row, office } : row;
    case "confirm":
      return { ...row, awaiting: Math.max(0, row.awaiting - 1), level: raised(row) };
    case "decline":
      return { ...row, awaiting: 0, proposed: row.level };
    case "close":
      return { ...row, state: "closed", awaiting: 0, outcome: fields.outcome ?? null, taken_by: null };
    case "reopen":
      return { ...row, state: "open", outcome: null };
    default:
      return row;
  }
}

/** What the office sees after one more confirmation. */
function raised(row: Row): Level {
  return row.level === "orange" ? "red" : "orange";
}
