// What an outcome that a model foresees is called; sites name them in several ways.

import { isKey, type Key } from "../words/words.svelte.js";

const SAME: Readonly<Record<string, string>> = {
  breach: "late",
  overdue: "late",
  deadline_missed: "late",
  handed_over_twice: "handed_over",
  bounced: "returned",
};

export function targetKey(target: string): Key {
  const key = `target.${SAME[target] ?? target}`;
  return isKey(key) ? key : "target.other";
}
