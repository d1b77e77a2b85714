// Fails the build where a message is missing, unused, or has other slots in the other language, and where a source
// file says something to the reader that no catalogue holds.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../src/", import.meta.url).pathname;
const catalogue = (name) => JSON.parse(readFileSync(join(root, "words", `${name}.json`), "utf8"));
const [en, zh] = [catalogue("en"), catalogue("zh-CN")];
const problems = [];

const slots = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort().join(",");
for (const key of new Set([...Object.keys(en), ...Object.keys(zh)])) {
  if (!en[key]) problems.push(`en.json lacks ${key}`);
  else if (!zh[key]) problems.push(`zh-CN.json lacks ${key}`);
  else if (slots(en[key]) !== slots(zh[key])) problems.push(`${key} has different slots in the two languages`);
}
for (const [key, text] of Object.entries(zh)) {
  if (/[\u4e00-\u9fff]\s*[,;:?!]|[,;:?!]\s*[\u4e00-\u9fff]/.test(text)) {
    problems.push(`zh-CN.json ${key}: Chinese has full-width punctuation`);
  }
}

const sources = readdirSync(root, { recursive: true }).filter((name) => /\.(svelte|ts)$/.test(name));
const used = new Set();
const prefixes = [];
for (const name of sources) {
  const text = readFileSync(join(root, name), "utf8");
  for (const found of text.matchAll(/\bt\(\s*"([\w.]+)"/g)) {
    used.add(found[1]);
    if (!(found[1] in en)) problems.push(`${name}: no message ${found[1]}`);
  }
  for (const found of text.matchAll(/"([a-z_]+(?:\.\w+)+)"/g)) if (found[1] in en) used.add(found[1]);
  for (const found of text.matchAll(/`([a-z_.]+\.)\$\{/g)) prefixes.push(found[1]);
  const spoken = text.replace(/<!--[\s\S]*?-->|\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  if (!name.startsWith("format") && /[\u4e00-\u9fff]/.test(spoken)) problems.push(`${name}: Chinese outside the catalogue`);
}
for (const key of Object.keys(en)) {
  if (!used.has(key) && !prefixes.some((prefix) => key.startsWith(prefix))) problems.push(`nothing says ${key}`);
}

if (problems.length) {
  console.error(problems.join("\n"));
  process.exit(1);
}
