// What a sentence says beyond the place and the category that stand beside it already.

import type { Row } from "../api/shapes.js";
import type { Tongue } from "../format/times.js";

/** A reason without its direction and share, which a bar tells. */
export function plainReason(text: string): string {
  return text.replace(/\uff0c\u4f7f\u53ef\u80fd\u6027.{2}\uff08.*\uff09$/, "").replace(/: makes it (?:more|less) likely \(.*\)$/, "");
}

/** The sentence without the place and category that it begins with; whole where it begins otherwise. */
export function brief(text: string, row: Pick<Row, "place" | "category">, tongue: Tongue): string {
  if (tongue === "zh-CN") {
    const head = `${row.place?.zh ?? ""}\u201c${row.category?.zh ?? ""}\u201d`;
    return text.startsWith(head) ? text.slice(head.length).replace(/^\u4e8b\u9879/, "") : text;
  }
  const cut = text.indexOf(": ");
  const head = text.slice(0, Math.max(0, cut));
  const repeats = row.category !== null && head.startsWith(row.category.en) && head.includes(row.place?.en ?? "");
  return repeats ? text.slice(cut + 2) : text;
}
