// What a reason of refusal is called; one that has no name here is told as it is.

import { isKey, t } from "../words/words.svelte.js";

export function reasonWords(reason: string): string {
  const key = `reason.${reason}`;
  return isKey(key) ? t(key) : reason;
}
