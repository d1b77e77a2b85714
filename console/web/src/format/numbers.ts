// Numbers without false digits.

import type { Tongue } from "./times.js";

/** A probability of 0 to 1: "38%", "38 %"; never 0 or 100. */
export function chance(p: number, tongue: Tongue): string {
  const gap = tongue === "zh-CN" ? "" : " ";
  if (p < 0.01) return `<1${gap}%`;
  if (p > 0.99) return `>99${gap}%`;
  return `${Math.round(p * 100)}${gap}%`;
}

/** A share of 0 and more: "60%"; past 1 it goes on, "130%". */
export function share(s: number, tongue: Tongue): string {
  return `${Math.round(Math.max(0, s) * 100)}${tongue === "zh-CN" ? "" : " "}%`;
}

/** "12,408". */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}
