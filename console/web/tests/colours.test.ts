import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

// Simulation of colour-vision deficiency: Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
const SIGHTS: Record<string, number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
type Triple = [number, number, number];

const css = readFileSync(new URL("../../src/styles/tokens.css", import.meta.url), "utf8");
const token = (name: string): Triple => {
  const found = new RegExp(`--${name}: #([0-9a-f]{6})`).exec(css)?.[1] ?? "";
  return [0, 2, 4].map((n) => parseInt(found.slice(n, n + 2), 16) / 255) as Triple;
};
const linear = (rgb: Triple): Triple => rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as Triple;
const times = (m: number[], v: Triple): Triple =>
  [0, 3, 6].map((n) => (m[n] as number) * v[0] + (m[n + 1] as number) * v[1] + (m[n + 2] as number) * v[2]) as Triple;

function lab(rgb: Triple): Triple {
  const seen = rgb.map((c) => Math.min(1, Math.max(0, c))) as Triple;
  const xyz = times([0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.072175, 0.0193339, 0.119192, 0.9503041], seen);
  const [x, y, z] = xyz.map((v, n) => {
    const t = v / ([0.95047, 1, 1.08883][n] as number);
    return t > 216 / 24389 ? Math.cbrt(t) : (841 / 108) * t + 4 / 29;
  }) as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIEDE2000 (Sharma, Wu and Dalal 2005). */
function difference([l1, a1, b1]: Triple, [l2, a2, b2]: Triple): number {
  const rad = Math.PI / 180;
  const mean7 = ((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2) ** 7;
  const g = 0.5 * (1 - Math.sqrt(mean7 / (mean7 + 25 ** 7)));
  const [c1, c2] = [Math.hypot(a1 * (1 + g), b1), Math.hypot(a2 * (1 + g), b2)];
  const hue = (a: number, b: number) => (Math.atan2(b, a * (1 + g)) / rad + 360) % 360;
  const [h1, h2] = [hue(a1, b1), hue(a2, b2)];
  const turn = c1 * c2 === 0 ? 0 : ((h2 - h1 + 540) % 360) - 180;
  const dh = 2 * Math.sqrt(c1 * c2) * Math.sin((turn / 2) * rad);
  const [l, c] = [(l1 + l2) / 2, (c1 + c2) / 2];
  const h = c1 * c2 === 0 ? h1 + h2 : (h1 + turn / 2 + 360) % 360;
  const t = 1 - 0.17 * Math.cos((h - 30) * rad) + 0.24 * Math.cos(2 * h * rad) + 0.32 * Math.cos((3 * h + 6) * rad) - 0.2 * Math.cos((4 * h - 63) * rad);
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const [sc, sh] = [1 + 0.045 * c, 1 + 0.015 * c * t];
  const rt = -2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)) * Math.sin(60 * Math.exp(-(((h - 275) / 25) ** 2)) * rad);
  const [dl, dc] = [(l2 - l1) / sl, (c2 - c1) / sc];
  return Math.sqrt(dl ** 2 + dc ** 2 + (dh / sh) ** 2 + rt * dc * (dh / sh));
}

test("the colour difference is that of the published pairs", () => {
  assert.ok(Math.abs(difference([50, 2.6772, -79.7751], [50, 0, -82.7485]) - 2.0425) < 1e-4);
  assert.ok(Math.abs(difference([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387]) - 1.2644) < 1e-4);
});

test("two levels are told apart by colour with every kind of colour vision", () => {
  const levels = ["blue", "yellow", "orange", "red"].map((name) => linear(token(name)));
  let least = Infinity;
  for (const sight of Object.values(SIGHTS)) {
    const seen = levels.map((level) => lab(times(sight, level)));
    seen.forEach((a, n) => seen.slice(n + 1).forEach((b) => (least = Math.min(least, difference(a, b)))));
  }
  assert.ok(least > 15, `the nearest pair is ${least.toFixed(1)} apart`);
});

test("the numeral on a level is read against its colour", () => {
  const bright = (name: string) => linear(token(name)).reduce((sum, c, n) => sum + c * ([0.2126, 0.7152, 0.0722][n] as number), 0);
  const contrast = (a: string, b: string) => {
    const [dark, light] = [bright(a), bright(b)].sort((x, y) => x - y) as [number, number];
    return (light + 0.05) / (dark + 0.05);
  };
  for (const level of ["blue", "yellow", "orange"]) assert.ok(contrast("on-level", level) > 4.5, level);
  assert.ok(contrast("on-red", "red") > 4.5);
});
