// The list never moves under the hand: while it is held, what arrives waits; what is there changes in its place.

import type { Row } from "../api/shapes.js";
import { compare, urgency } from "./order.js";
import type { Order } from "./view.js";

export interface Shown {
  rows: Row[];
  waiting: Map<string, Row>;
}

export interface Belongs {
  (row: Row): boolean;
}

/** The newer of two states of one warning; a repeated or late message never takes back a newer one. */
export function newer(old: Row | undefined, fresh: Row): Row {
  return old && old.number > fresh.number ? old : fresh;
}

/**
 * Take changed rows into what is shown.
 *
 * Held: rows that are shown are renewed in place, even when they no longer belong; new ones wait.
 * Free: rows enter at their place, rows that no longer belong leave. Returns how many rows the total grew or shrank by.
 */
export function take(shown: Shown, fresh: Row[], belongs: Belongs, order: Order, held: boolean): number {
  let grown = 0;
  const index = new Map(shown.rows.map((row, n) => [row.id, n] as const));
  let moved = false;
  for (const row of fresh) {
    const at = index.get(row.id);
    const kept = at === undefined ? shown.waiting.get(row.id) : shown.rows[at];
    const latest = newer(kept, row);
    if (latest !== row) continue;
    if (at !== undefined) {
      shown.rows[at] = row;
      moved = true;
    } else if (belongs(row)) {
      shown.waiting.set(row.id, row);
    } else {
      shown.waiting.delete(row.id);
    }
  }
  if (!held && (moved || shown.waiting.size)) grown = release(shown, belongs, order);
  return grown;
}

/** Let in what waited, let out what no longer belongs, and sort anew; by how many rows the list grew. */
export function release(shown: Shown, belongs: Belongs, order: Order): number {
  const before = shown.rows.length;
  const rows = [...shown.rows, ...shown.waiting.values()].filter(belongs);
  rows.sort((a, b) => compare(a, b, order));
  shown.rows.splice(0, before, ...rows);
  shown.waiting.clear();
  return rows.length - before;
}

/** How many wait, and how many of them are red or asked to be. */
export function tally(waiting: Map<string, Row>): { all: number; red: number } {
  let red = 0;
  for (const row of waiting.values()) if (urgency(row) === 4) red += 1;
  return { all: waiting.size, red };
}
