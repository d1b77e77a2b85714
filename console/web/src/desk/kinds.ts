// What a warning can be about. A kind that is not known is called what it is: another subject.

import type { Key } from "../words/words.svelte.js";

export const KINDS = ["matter", "surge", "sensor", "source"] as const;

export function kindKey(kind: string): Key {
  return (KINDS as readonly string[]).includes(kind) ? (`kind.${kind}` as Key) : "kind.other";
}
