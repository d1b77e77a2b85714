// The message catalogues and the language in use. A missing key does not compile, nor does it build.

import type { Named, Said } from "../api/shapes.js";
import type { Tongue } from "../format/times.js";
import en from "./en.json";
import zh from "./zh-CN.json";

export type Key = keyof typeof en;
export type Language = "zh-CN" | "en" | "en-XA";

const CATALOGUES: Record<Tongue, Record<Key, string>> = { "zh-CN": zh, en };
const KEPT = "forewarn.language";

function preferred(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === "zh-CN" || kept === "en" || kept === "en-XA") return kept;
  return navigator.languages.some((each) => each.toLowerCase().startsWith("zh")) ? "zh-CN" : "en";
}

class Words {
  language: Language = $state(preferred());

  /** The language for dates and numbers; the pseudo-locale has English ones. */
  get tongue(): Tongue {
    return this.language === "zh-CN" ? "zh-CN" : "en";
  }

  choose(language: Language): void {
    this.language = language;
    localStorage.setItem(KEPT, language);
  }
}

export const words = new Words();

const ACCENTED = new Map([..."aeiounyAEIOUNY"].map((letter, n) => [letter, [..."åéîöûñýÅÉÎÖÛÑÝ"][n] as string]));

/** A text that no catalogue holds, so that whatever is not in the catalogue shows: "[Šîgñ îñ··]". */
function pseudo(text: string): string {
  const out = text.replace(/\{\w+\}|[a-zA-Z]/g, (piece) => (piece.length > 1 ? piece : (ACCENTED.get(piece) ?? piece)));
  return `[${out}${"·".repeat(Math.ceil(text.length / 4))}]`;
}

/** The text of a key in the language in use, its slots filled. */
export function t(key: Key, slots: Record<string, string | number> = {}): string {
  const plain = CATALOGUES[words.tongue][key];
  const text = words.language === "en-XA" ? pseudo(plain) : plain;
  return text.replace(/\{(\w+)\}/g, (slot, name: string) => String(slots[name] ?? slot));
}

/** What a place, an office or a category is called: its one name where it has no other, never its id. */
export function named(thing: Named | null): string {
  if (!thing) return "";
  const translated = words.tongue === "zh-CN" ? thing.zh : thing.en;
  return translated && translated !== thing.id ? translated : thing.zh || thing.id;
}

/** Whether the catalogues hold a key. */
export function isKey(key: string): key is Key {
  return key in en;
}

/** What the server said, in the language in use. */
export function said(text: Said | null | undefined): string {
  if (!text) return "";
  return (words.tongue === "zh-CN" ? text.zh || text.en : text.en || text.zh) ?? "";
}
