// The results board as a table: figures by which policies are compared, and figures that stand alone.

import type { Said } from "../api/shapes.js";
import { count } from "../format/numbers.js";
import { span, type Tongue } from "../format/times.js";

/** `fewer_than`: too few cases stand behind it to show a value. `interval`: of 95 %, of shares. */
export interface Figure extends Said {
  id: string;
  value: number | null;
  unit: string;
  window: string;
  denominator: number | null;
  definition: Said;
  policy: string | null;
  interval?: [number, number];
  fewer_than?: number;
}

export interface Board {
  figures: Figure[];
  policies: (Said & { id: string })[];
  definitions: Record<string, Said>;
  since: string;
  now: string;
}

export interface BoardRow extends Said {
  id: string;
  definition: Said;
  cells: Record<string, Figure>;
}

/** One row per figure that policies are compared by, in the server's order. */
export function compared(board: Board): BoardRow[] {
  const rows = new Map<string, BoardRow>();
  for (const figure of board.figures) {
    if (figure.policy === null) continue;
    const { id, zh, en, definition } = figure;
    const row = rows.get(id) ?? { id, zh, en, definition, cells: {} };
    row.cells[figure.policy] = figure;
    rows.set(id, row);
  }
  return [...rows.values()];
}

/** What no policy has a part in: claims, and what was verified. */
export function alone(board: Board): Figure[] {
  return board.figures.filter((figure) => figure.policy === null);
}

/** The value in its unit; null while too little is known to show one. */
export function written(figure: Figure, tongue: Tongue): string | null {
  const { value, unit } = figure;
  if (value === null) return null;
  if (unit === "share") return percent(value, tongue);
  if (unit === "hours") return span(value * 3_600_000, tongue);
  if (unit === "count") return count(value);
  return `${Number(value.toPrecision(3))} ${unit}`;
}

/** "71%–82%"; "" where there is no interval. */
export function intervalOf(figure: Figure, tongue: Tongue): string {
  if (!figure.interval || figure.value === null) return "";
  const [low, high] = figure.interval;
  return `${Math.round(low * 100)}–${Math.round(high * 100)}${tongue === "zh-CN" ? "" : " "}%`;
}

function percent(value: number, tongue: Tongue): string {
  return `${(value * 100).toFixed(1)}${tongue === "zh-CN" ? "" : " "}%`;
}
