// The order of the list, as the server sorts it: worst first, then what will be late first.

import type { Level, Row } from "../api/shapes.js";
import { isShut, type Order } from "./view.js";

const RANK = { red: 4, orange: 3, yellow: 2, blue: 1 } as const;

/** 0 for none, 4 for red. */
export function rank(level: Level): number {
  return level ? RANK[level] : 0;
}

/** The higher of what is visible and what is proposed. */
export function urgency(row: Row): number {
  return Math.max(rank(row.level), rank(row.proposed));
}

function due(row: Row): number {
  return row.clock ? Date.parse(row.clock.due) : Number.MAX_SAFE_INTEGER;
}

/** Below 0 when `a` stands above `b`. */
export function compare(a: Row, b: Row, order: Order): number {
  if (order === "newest") return Date.parse(b.at) - Date.parse(a.at) || tie(b, a);
  const shut = Number(isShut(a)) - Number(isShut(b));
  if (shut) return shut;
  const worse = order === "worst" ? urgency(b) - urgency(a) : 0;
  return worse || due(a) - due(b) || tie(a, b);
}

function tie(a: Row, b: Row): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
