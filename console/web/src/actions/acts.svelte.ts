// What a person does to warnings: shown at once, confirmed or taken back by the fold's verdict.

import { Refused, type Command } from "../api/client.js";
import type { CommandName, Row, Said, Verdict } from "../api/shapes.js";
import { newer } from "../desk/arrivals.js";
import type { Desk } from "../desk/desk.svelte.js";
import { isShut } from "../desk/view.js";
import type { Site } from "../site.svelte.js";
import type { Key } from "../words/words.svelte.js";
import { applied } from "./foresight.js";

export type Form = Exclude<CommandName, "reopen" | "undo">;
export type Fields = Omit<Command, "command" | "expected">;

export interface Notice {
  kind: "busy" | "done" | "refused";
  key: Key;
  said?: Said;
  count: number;
  /** Warnings whose last act can be undone. */
  undo: Row[];
}

/** Undone is what changed nothing but the hands it is in. */
const UNDOABLE: ReadonlySet<CommandName> = new Set(["acknowledge", "assign"]);
const ASK_AGAIN_MS = [250, 500, 1_000, 2_000, 4_000, 8_000];

export class Acts {
  /** The act whose form is open. It stays until the act is done, so that nothing filled in is lost. */
  form = $state<Form | null>(null);
  notice = $state.raw<Notice | null>(null);
  /** Why the form could not be saved; what was filled in stays. */
  trouble = $state.raw<Said | "unreachable" | null>(null);
  busy = $state(false);

  #site: Site;
  #desk: Desk;
  #foreseen = $state.raw<ReadonlyMap<string, Row>>(new Map());
  /** Keys of commands that did not get through, by their content: the same try again is the same command. */
  #keys = new Map<string, string>();

  constructor(site: Site, desk: Desk) {
    this.#site = site;
    this.#desk = desk;
  }

  /** A row as it will be once the server agrees. */
  shown(row: Row): Row {
    const foreseen = this.#foreseen.get(row.id);
    return foreseen && foreseen.number >= row.number ? foreseen : row;
  }

  isPending(id: string): boolean {
    return this.#foreseen.has(id);
  }

  /** What the state of a warning lets the signed-in person do; the server has the last word. */
  open(row: Row): CommandName[] {
    if (isShut(row)) return this.#allowed(["reopen"]);
    const acts: CommandName[] = ["acknowledge", "assign", "note", "close"];
    return this.#allowed(row.awaiting > 0 ? ["confirm", "decline", ...acts] : acts);
  }

  #allowed(acts: CommandName[]): CommandName[] {
    return acts.filter((act) => this.#site.may(`warning:${act}`));
  }

  ask(form: Form): void {
    this.form = form;
    this.trouble = null;
  }

  dismiss(): void {
    this.form = null;
    this.trouble = null;
  }

  /** Do it to these rows. */
  async run(rows: Row[], command: CommandName, fields: Fields = {}): Promise<void> {
    if (this.busy || !rows.length) return;
    this.busy = true;
    this.trouble = null;
    this.#foresee(rows, command, fields);
    this.notice = { kind: "busy", key: "act.busy", count: rows.length, undo: [] };
    try {
      const verdicts = rows.length === 1 ? [await this.#one(rows[0] as Row, command, fields)] : await this.#many(rows, command, fields);
      this.#tell(command, verdicts);
      if (verdicts.some((verdict) => !verdict.ok)) return;
      this.form = null;
      if (rows.length > 1) this.#desk.uncheck();
    } catch (error) {
      const said = error instanceof Refused && error.problem?.text ? both(error) : null;
      this.trouble = said ?? "unreachable";
      this.notice = this.form ? null : { kind: "refused", key: "act.unsaved", count: rows.length, undo: [], ...(said ? { said } : {}) };
    } finally {
      this.#forget(rows);
      this.busy = false;
    }
  }

  async undo(): Promise<void> {
    const rows = (this.notice?.undo ?? []).map((row) => newer(this.#desk.find(row.id), row));
    this.notice = null;
    await this.run(rows, "undo");
  }

  async #one(row: Row, command: CommandName, fields: Fields): Promise<Verdict> {
    const whole: Command = { command, expected: row.number, ...fields };
    const [content, key] = this.#keyOf(row.id, whole);
    const verdict = await this.#settled(await this.#site.client.command(row.id, whole, key), key);
    this.#keys.delete(content);
    return verdict;
  }

  async #many(rows: Row[], command: CommandName, fields: Fields): Promise<Verdict[]> {
    const list = rows.map((row) => {
      const whole: Command = { command, expected: row.number, ...fields };
      const [, key] = this.#keyOf(row.id, whole);
      return { ...whole, id: key, warning: row.id };
    });
    const answers = await this.#site.client.commands(list);
    this.#keys.clear();
    return Promise.all(answers.map((answer, n) => this.#settled(answer, list[n]?.id ?? "")));
  }

  /** The verdict, asked for again while the command is on its way. */
  async #settled(verdict: Verdict | null, key: string): Promise<Verdict> {
    for (const wait of ASK_AGAIN_MS) {
      if (verdict) return verdict;
      await new Promise((wake) => setTimeout(wake, wait));
      verdict = await this.#site.client.verdict(key);
    }
    if (verdict) return verdict;
    throw new Refused(0);
  }

  #keyOf(id: string, command: Command): [string, string] {
    const content = `${id} ${JSON.stringify(command)}`;
    const key = this.#keys.get(content) ?? newKey();
    this.#keys.set(content, key);
    return [content, key];
  }

  #tell(command: CommandName, verdicts: Verdict[]): void {
    this.#desk.take(verdicts.flatMap((verdict) => (verdict.row ? [verdict.row] : [])));
    const bad = verdicts.filter((verdict) => !verdict.ok);
    const good = verdicts.filter((verdict) => verdict.ok);
    const first = bad[0];
    if (first) {
      const stale = first.reason === "stale" && verdicts.length === 1;
      const key: Key = stale ? "verdict.stale" : verdicts.length > 1 ? "act.some_refused" : "act.refused";
      this.notice = { kind: "refused", key, ...(stale ? {} : { said: first.text }), count: bad.length, undo: [] };
    } else {
      const undo = UNDOABLE.has(command) ? good.flatMap((verdict) => verdict.row ?? []) : [];
      this.notice = { kind: "done", key: `done.${command}`, count: good.length, undo };
    }
  }

  #foresee(rows: Row[], command: CommandName, fields: Fields): void {
    const foreseen = new Map(this.#foreseen);
    const office = this.#site.territory.offices.find((each) => each.id === fields.office) ?? null;
    for (const row of rows) foreseen.set(row.id, applied(row, command, fields, this.#site.session?.principal.name ?? "", office));
    this.#foreseen = foreseen;
  }

  #forget(rows: Row[]): void {
    const foreseen = new Map(this.#foreseen);
    for (const row of rows) foreseen.delete(row.id);
    this.#foreseen = foreseen;
  }
}

function both(error: Refused): Said {
  const { text, remedy } = error.problem ?? {};
  return { zh: `${text?.zh ?? ""}${remedy?.zh ?? ""}`, en: `${text?.en ?? ""} ${remedy?.en ?? ""}`.trim() };
}

/** A key that no other command has. `crypto.randomUUID` is missing on plain HTTP. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

