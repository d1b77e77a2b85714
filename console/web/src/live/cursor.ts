// How far each partition of each log has been read: "signals-0:1234,site-0:56".

import type { Cursor } from "../api/shapes.js";

/** The cursor that a text writes; what cannot be read is left out. */
export function parseCursor(text: string): Cursor {
  const cursor: Cursor = {};
  for (const part of text.split(",")) {
    const cut = part.lastIndexOf(":");
    const number = Number(part.slice(cut + 1));
    if (cut > 0 && part.length > cut + 1 && Number.isInteger(number)) cursor[part.slice(0, cut)] = number;
  }
  return cursor;
}

/** As the stream's `id` writes it. */
export function formatCursor(cursor: Cursor): string {
  return Object.keys(cursor)
    .sort()
    .map((name) => `${name}:${cursor[name]}`)
    .join(",");
}

/** The later of both, partition by partition. */
export function later(a: Cursor, b: Cursor): Cursor {
  const out: Cursor = { ...a };
  for (const [name, number] of Object.entries(b)) out[name] = Math.max(out[name] ?? 0, number);
  return out;
}

/** Whether `a` has read all that `b` has. */
export function covers(a: Cursor, b: Cursor): boolean {
  return Object.entries(b).every(([name, number]) => (a[name] ?? 0) >= number);
}
