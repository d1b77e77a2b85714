// What the duty desk shows, as its address says it: every view is a URL.

import type { LevelName, Row, State } from "../api/shapes.js";

export type Order = "worst" | "due" | "newest";

export interface View {
  mode: "groups" | "list";
  level: LevelName | "";
  kind: string;
  office: string;
  place: string;
  category: string;
  state: State | "awaiting" | "";
  q: string;
  closed: boolean;
  order: Order;
  open: string;
}

export const PLAIN: View = {
  mode: "groups",
  level: "",
  kind: "",
  office: "",
  place: "",
  category: "",
  state: "",
  q: "",
  closed: false,
  order: "worst",
  open: "",
};

const TEXTS = ["level", "kind", "office", "place", "category", "state", "q", "open"] as const;

/** The view that a query string describes; what it does not know is left plain. */
export function parseView(search: string): View {
  const given = new URLSearchParams(search);
  const view: Record<string, unknown> = { ...PLAIN };
  for (const name of TEXTS) view[name] = given.get(name) ?? "";
  view.mode = given.get("mode") === "list" ? "list" : "groups";
  view.closed = given.get("closed") === "1";
  const order = given.get("order");
  view.order = order === "due" || order === "newest" ? order : "worst";
  const known = view as unknown as View;
  if (!["red", "orange", "yellow", "blue"].includes(known.level)) known.level = "";
  if (!["open", "acknowledged", "closed", "ended", "awaiting"].includes(known.state)) known.state = "";
  return known;
}

/** The query string of a view, only what differs from the plain one; "" for the plain one. */
export function formatView(view: View): string {
  const out = new URLSearchParams();
  if (view.mode !== PLAIN.mode) out.set("mode", view.mode);
  for (const name of TEXTS) if (view[name]) out.set(name, view[name]);
  if (view.closed) out.set("closed", "1");
  if (view.order !== PLAIN.order) out.set("order", view.order);
  const text = out.toString();
  return text ? `?${text}` : "";
}

const FILTERS = ["level", "kind", "office", "place", "category", "state", "q"] as const;

/** Whether anything narrows the view. */
export function isFiltered(view: View): boolean {
  return view.closed || FILTERS.some((name) => view[name] !== "");
}

/** The view without any filter. */
export function unfiltered(view: View): View {
  return { ...PLAIN, mode: view.mode, order: view.order, open: view.open };
}

/** What the server is asked for a view. */
export function queryOf(view: View): Record<string, string> {
  const query: Record<string, string> = {};
  for (const name of FILTERS) if (view[name]) query[name] = view[name];
  if (query.state === "awaiting") {
    delete query.state;
    query.awaiting = "1";
  }
  if (view.closed) query.closed = "1";
  query.order = view.order;
  return query;
}

export function isShut(row: Row): boolean {
  return row.state === "closed" || row.state === "ended";
}

/**
 * Whether a row belongs into the view, judged without asking: the server's own answer comes with the next snapshot.
 *
 * @param within whether a place lies within another.
 */
export function matches(row: Row, view: View, within: (place: string, above: string) => boolean): boolean {
  const asked = view.state === "closed" || view.state === "ended";
  if (isShut(row) && !view.closed && !asked) return false;
  if (view.level && (row.proposed ?? row.level) !== view.level) return false;
  if (view.kind && row.kind !== view.kind) return false;
  if (view.office && row.office?.id !== view.office) return false;
  if (view.category && row.category?.id !== view.category) return false;
  if (view.place && !(row.place && within(row.place.id, view.place))) return false;
  if (view.state === "awaiting" ? row.awaiting === 0 : view.state && row.state !== view.state) return false;
  if (view.q) {
    const said = `${row.id} ${row.subject} ${row.sentence.zh} ${row.sentence.en}`.toLowerCase();
    if (!said.includes(view.q.toLowerCase())) return false;
  }
  return true;
}
