// The duty desk's state: what the view asks for, what is shown, what waits, and what the hand is on.

import { Refused } from "../api/client.js";
import type { Counts, Group, Row } from "../api/shapes.js";
import type { News } from "../live/stream.js";
import { router } from "../router.svelte.js";
import type { Site } from "../site.svelte.js";
import { newer, release, take, tally } from "./arrivals.js";
import { urgency } from "./order.js";
import { formatView, isFiltered, isShut, matches, parseView, queryOf, type View } from "./view.js";

export type Status = "loading" | "ready" | "denied" | "error";

export type Line =
  | { type: "group"; key: string; group: Group; open: boolean }
  | { type: "row"; key: string; row: Row; depth: 0 | 1 }
  | { type: "gap"; key: string };

const PAGE = 200;
const FAR_PAGE = 500;
const IN_GROUP = 100;
const SETTLE_MS = 3_000;
const NO_COUNTS: Counts = { red: 0, orange: 0, yellow: 0, blue: 0, awaiting: 0 };

export function groupKey(group: Group): string {
  return `${group.place?.id ?? ""}|${group.category?.id ?? ""}|${group.kind}`;
}

export class Desk {
  view = $state.raw<View>(parseView(""));
  status = $state<Status>("loading");
  rows = $state.raw<Row[]>([]);
  groups = $state.raw<Group[]>([]);
  opened = $state.raw<ReadonlyMap<string, Row[] | null>>(new Map());
  total = $state(0);
  counts = $state.raw<Counts>(NO_COUNTS);
  waiting = $state.raw<ReadonlyMap<string, Row>>(new Map());
  checked = $state.raw<ReadonlySet<string>>(new Set());
  /** Reds that nobody has taken, wherever they stand. */
  reds = $state.raw<Row[]>([]);
  /** Key of the line that the keyboard is on. */
  current = $state("");
  pointer = $state(false);

  readonly held = $derived(this.pointer || this.checked.size > 0 || this.view.open !== "");
  readonly arrived = $derived(tally(new Map(this.waiting)));
  readonly lines = $derived(this.view.mode === "groups" ? this.#grouped() : this.#listed());

  #site: Site;
  #next: string | null = null;
  #round = 0;
  #settle: ReturnType<typeof setTimeout> | null = null;
  #more = false;

  constructor(site: Site) {
    this.#site = site;
  }

  // the view -----------------------------------------------------------------------------------------------------

  /** Take the view from the address (null: another page is shown); load anew unless only the open warning differs. */
  follow(search: string | null): void {
    const before = this.view;
    if (search !== null) this.view = parseView(search);
    const same = formatView({ ...before, open: "" }) === formatView({ ...this.view, open: "" });
    if (this.status === "loading" || !same) void this.load(!same);
  }

  show(change: Partial<View>, replace = false): void {
    router.go("/", formatView({ ...this.view, ...change }), replace);
  }

  open(id: string, replace = false): void {
    this.show({ open: id }, replace);
  }

  get filtered(): boolean {
    return isFiltered(this.view);
  }

  /** The row of an id, wherever it is shown. */
  find(id: string): Row | undefined {
    const inGroups = () => [...this.opened.values()].flatMap((rows) => rows ?? []).find((row) => row.id === id);
    return (
      this.rows.find((row) => row.id === id) ??
      inGroups() ??
      this.groups.find((group) => group.worst.id === id)?.worst ??
      this.reds.find((row) => row.id === id)
    );
  }

  // loading ------------------------------------------------------------------------------------------------------

  /** Take a snapshot; `fresh` forgets what is shown first, `yielding` gives way to a hand that came meanwhile. */
  async load(fresh = false, yielding = false): Promise<void> {
    const round = ++this.#round;
    if (fresh) {
      this.status = "loading";
      this.rows = [];
      this.groups = [];
      this.opened = new Map();
      this.checked = new Set();
    }
    const query = queryOf(this.view);
    const client = this.#site.client;
    try {
      const reds = client.queue({ level: "red", state: "open", limit: 20 });
      if (this.view.mode === "groups") {
        const page = await client.groups(query);
        if (round !== this.#round || (yielding && this.held)) return;
        this.groups = page.items;
        this.total = page.total;
        this.counts = page.counts;
        this.#site.snapshot(page.cursor, page.at);
        await this.#renewOpened();
      } else {
        const page = await client.queue({ ...query, limit: Math.min(FAR_PAGE, Math.max(PAGE, this.rows.length)) });
        if (round !== this.#round || (yielding && this.held)) return;
        this.rows = page.items;
        this.#next = page.next;
        this.total = page.total;
        this.counts = page.counts;
        this.#site.snapshot(page.cursor, page.at);
      }
      this.waiting = new Map();
      this.status = "ready";
      this.reds = (await reds).items.filter((row) => row.state === "open");
    } catch (error) {
      if (round !== this.#round) return;
      if (this.status !== "ready") this.status = error instanceof Refused && error.status === 403 ? "denied" : "error";
    }
  }

  /** Load on until the line `until` is there. */
  async more(until: number): Promise<void> {
    if (this.#more) return;
    this.#more = true;
    const round = this.#round;
    try {
      while (this.#next && this.rows.length <= until && round === this.#round) {
        const page = await this.#site.client.queue({ ...queryOf(this.view), limit: FAR_PAGE, after: this.#next });
        if (round !== this.#round) return;
        const known = new Set(this.rows.map((row) => row.id));
        this.rows = [...this.rows, ...page.items.filter((row) => !known.has(row.id))];
        this.#next = page.next;
      }
    } catch {
      // The rows that are there stay; scrolling on asks again.
    } finally {
      this.#more = false;
    }
  }

  /** Open or shut a group. */
  async toggle(group: Group): Promise<void> {
    const key = groupKey(group);
    const opened = new Map(this.opened);
    if (opened.delete(key)) {
      this.opened = opened;
      return;
    }
    this.opened = opened.set(key, null);
    const rows = await this.#rowsOf(group).catch(() => [group.worst]);
    if (this.opened.has(key)) this.opened = new Map(this.opened).set(key, rows);
  }

  async #rowsOf(group: Group): Promise<Row[]> {
    const query = queryOf(this.view);
    if (group.place) query.place = group.place.id;
    if (group.category) query.category = group.category.id;
    query.kind = group.kind;
    const page = await this.#site.client.queue({ ...query, limit: IN_GROUP });
    // A place stands for all under it when it is asked for, but a group holds its own only.
    return page.items.filter((row) => (row.place?.id ?? "") === (group.place?.id ?? ""));
  }

  async #renewOpened(): Promise<void> {
    const opened = new Map<string, Row[] | null>();
    for (const group of this.groups) {
      const key = groupKey(group);
      if (this.opened.has(key)) opened.set(key, await this.#rowsOf(group).catch(() => this.opened.get(key) ?? null));
    }
    this.opened = opened;
  }

  // news ---------------------------------------------------------------------------------------------------------

  hear(news: News): void {
    if (news.type === "reset") void this.load();
    if (news.type !== "changes") return;
    this.counts = news.counts;
    this.take(news.rows);
  }

  /** Take in changed rows: those of the stream, and those that a verdict brings. */
  take(fresh: Row[]): void {
    const belongs = (row: Row) => matches(row, this.view, this.#site.within);
    const reds = new Map(this.reds.map((row) => [row.id, row]));
    for (const row of fresh) {
      if (newer(reds.get(row.id), row) !== row) continue;
      if (urgency(row) === 4 && row.state === "open") reds.set(row.id, row);
      else reds.delete(row.id);
    }
    this.reds = [...reds.values()];
    const shown = { rows: [...this.rows], waiting: new Map(this.waiting) };
    if (this.view.mode === "list") {
      this.total += take(shown, fresh, belongs, this.view.order, this.held);
      this.rows = shown.rows;
      this.waiting = shown.waiting;
    } else this.#takeIntoGroups(fresh, belongs);
    if (!this.held) this.#settleSoon();
  }

  #takeIntoGroups(fresh: Row[], belongs: (row: Row) => boolean): void {
    const byId = new Map(fresh.map((row) => [row.id, row]));
    const renew = (row: Row) => newer(row, byId.get(row.id) ?? row);
    this.groups = this.groups.map((group) => (byId.has(group.worst.id) ? { ...group, worst: renew(group.worst) } : group));
    this.opened = new Map([...this.opened].map(([key, rows]) => [key, rows && rows.map(renew)]));
    const waiting = new Map(this.waiting);
    for (const row of fresh) if (!this.find(row.id) && row.number === 1 && belongs(row)) waiting.set(row.id, row);
    this.waiting = waiting;
  }

  /** Let in what waited. */
  release(): void {
    const shown = { rows: [...this.rows], waiting: new Map(this.waiting) };
    if (this.view.mode === "list") {
      this.total += release(shown, (row) => matches(row, this.view, this.#site.within), this.view.order);
      this.rows = shown.rows;
    }
    this.waiting = new Map();
    void this.load();
  }

  /** The server's own answer, a little later and not too often. */
  #settleSoon(): void {
    this.#settle ??= setTimeout(() => {
      this.#settle = null;
      if (!this.held) void this.load(false, true);
    }, SETTLE_MS);
  }

  /** The pointer came or went, a selection ended: when nothing holds the list any more, it moves on. */
  letGo(): void {
    if (!this.held && this.waiting.size) this.release();
  }

  // the hand -----------------------------------------------------------------------------------------------------

  check(id: string): void {
    const checked = new Set(this.checked);
    if (!checked.delete(id)) checked.add(id);
    this.checked = checked;
    this.letGo();
  }

  uncheck(): void {
    this.checked = new Set();
    this.letGo();
  }

  #listed(): Line[] {
    const lines: Line[] = this.rows.map((row) => ({ type: "row", key: row.id, row, depth: 0 }));
    for (let n = lines.length; n < this.total && this.#next; n++) lines.push({ type: "gap", key: `gap ${n}` });
    return lines;
  }

  #grouped(): Line[] {
    const lines: Line[] = [];
    for (const group of this.groups) {
      const key = groupKey(group);
      const rows = this.opened.get(key);
      lines.push({ type: "group", key, group, open: rows !== undefined });
      if (rows === null) lines.push({ type: "gap", key: `gap ${key}` });
      for (const row of rows ?? []) lines.push({ type: "row", key: `${key} ${row.id}`, row, depth: 1 });
    }
    return lines;
  }
}

/** Whether a row that is still shown has left the view: closed, or ended by itself. */
export function hasLeft(row: Row, view: View): boolean {
  return isShut(row) && !view.closed && view.state !== "closed" && view.state !== "ended";
}
