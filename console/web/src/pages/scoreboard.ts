// The results board as tables: figures that policies share side by side, claims beside what was verified.

import type { Said } from "../api/shapes.js";
import { count } from "../format/numbers.js";
import { span, type Tongue } from "../format/times.js";

export interface Figure extends Said {
  id: string;
  value: number | null;
  unit: string;
  window: string;
  denominator: number | null;
  definition: Said;
  policy: string | null;
}

export interface Board {
  figures: Figure[];
  policies: (Said & { id: string })[];
  since: string;
  now: string;
}

export interface BoardRow extends Said {
  id: string;
  window: string;
  definition: Said;
  cells: Record<string, Figure>;
}

export interface BoardTable {
  columns: (Said & { id: string })[];
  rows: BoardRow[];
}

/** One table of what policies are compared by, one of the rest. */
export function tableOf(board: Board, value: Said & { id: string }): BoardTable[] {
  const compared = rowsOf(board.figures.filter((figure) => figure.policy !== null));
  const alone = rowsOf(board.figures.filter((figure) => figure.policy === null));
  const tables: BoardTable[] = [];
  if (compared.length) tables.push({ columns: board.policies, rows: compared });
  if (alone.length) tables.push({ columns: [value], rows: alone });
  return tables;
}

function rowsOf(figures: Figure[]): BoardRow[] {
  const rows = new Map<string, BoardRow>();
  for (const figure of figures) {
    const { id, zh, en, window, definition } = figure;
    const row = rows.get(id) ?? { id, zh, en, window, definition, cells: {} };
    row.cells[figure.policy ?? ""] = figure;
    rows.set(id, row);
  }
  return [...rows.values()];
}

/** The value in its unit; null while nothing is known. */
export function written(figure: Figure, tongue: Tongue): string | null {
  const { value, unit } = figure;
  if (value === null) return null;
  if (unit === "share") return `${(value * 100).toFixed(1)}${tongue === "zh-CN" ? "" : " "}%`;
  if (unit === "hours") return span(value * 3_600_000, tongue);
  if (unit === "count") return count(value);
  return `${Number(value.toPrecision(3))} ${unit}`;
}

/** What the figure means, over which window, out of how many. */
export function explained(row: BoardRow, tongue: Tongue, denominator: string): string {
  const text = tongue === "zh-CN" ? row.definition.zh : row.definition.en;
  const sizes = Object.values(row.cells).flatMap((cell) => (cell.denominator === null ? [] : [count(cell.denominator)]));
  return sizes.length ? `${text} ${denominator} ${sizes.join(" / ")}` : text;
}
