// What a warning can be about. A kind that is not known is called what it is: another subject.

import type { Row } from "../api/shapes.js";
import type { Key } from "../words/words.svelte.js";

export const KINDS = ["matter", "surge", "sensor", "source"] as const;

export function kindKey(kind: string): Key {
  return (KINDS as readonly string[]).includes(kind) ? (`kind.${kind}` as Key) : "kind.other";
}

/** Whose word a proposal still needs. */
export function awaitingKey(row: Row): Key {
  if (row.awaiting > 1) return "state.awaiting_two";
  return row.proposed === "red" ? "state.awaiting_second" : "state.awaiting_one";
}
