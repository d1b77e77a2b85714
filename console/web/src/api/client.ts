// Requests to the server: the session's token on every change, an idempotency key on every command.

import type * as S from "./shapes.js";

/** What went wrong with a request. `status` is 0 when the server was not reached; `problem` what it said of it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<S.Problem> | null = null,
    readonly body: unknown = null,
  ) {
    super(`${status} ${problem?.reason ?? ""}`);
  }

  get reason(): string {
    return this.problem?.reason ?? "";
  }
}

type Query = Record<string, string | number>;

export interface Command {
  command: S.CommandName;
  expected: number | null;
  office?: string;
  next_update_by?: string;
  remark?: string;
  reason?: string;
  outcome?: S.Outcome;
}

const ROOT = "/api/v1";
const TIMEOUT_MS = 15_000;

export class Client {
  csrf = "";
  /** Called when the server no longer knows who we are. */
  onExpired: () => void = () => {};

  async #send<T>(method: string, path: string, query: Query, body?: unknown, key?: string): Promise<T> {
    const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
    const headers: Record<string, string> = { accept: "application/json" };
    if (method !== "GET" && this.csrf) headers["x-csrf"] = this.csrf;
    if (body !== undefined) headers["content-type"] = "application/json";
    if (key) headers["idempotency-key"] = key;
    let answer: Response;
    try {
      answer = await fetch(`${ROOT}${path}${text ? `?${text}` : ""}`, {
        method,
        headers,
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new Refused(0, { detail: String(error) });
    }
    const parsed: unknown = await answer.json().catch(() => null);
    if (answer.ok) return parsed as T;
    if (answer.status === 401 && path !== "/session") this.onExpired();
    throw new Refused(answer.status, isObject(parsed) ? (parsed as Partial<S.Problem>) : null, parsed);
  }

  session(): Promise<S.Session> {
    return this.#send("GET", "/session", {});
  }

  async signIn(proof: { name: string; password: string } | { token: string }): Promise<S.Session> {
    return this.#send("POST", "/session", {}, proof);
  }

  signOut(): Promise<void> {
    return this.#send("DELETE", "/session", {});
  }

  queue(query: Query): Promise<S.QueuePage> {
    return this.#send("GET", "/queue", query);
  }

  groups(query: Query): Promise<S.GroupPage> {
    return this.#send("GET", "/groups", query);
  }

  /** One warning. Its text is asked for apart: looking at it is noted. */
  warning(id: string, withText = false): Promise<S.Detail> {
    return this.#send("GET", `/warnings/${encodeURIComponent(id)}`, { text: withText ? 1 : 0 });
  }

  /** Ask for a change. The verdict of a refused command comes as a value too; null: not folded in time, ask later. */
  async command(warning: string, command: Command, key: string): Promise<S.Verdict | null> {
    const path = `/warnings/${encodeURIComponent(warning)}/commands`;
    const answer = await this.#send<unknown>("POST", path, {}, command, key).catch(verdictOf);
    return isVerdict(answer) ? answer : null;
  }

  /** Several commands, each under its own key; a verdict each, null for those that are not folded yet. */
  async commands(list: (Command & { id: string; warning: string })[]): Promise<(S.Verdict | null)[]> {
    const answer = await this.#send<unknown[]>("POST", "/commands", {}, list, list[0]?.id);
    return answer.map((each) => (isVerdict(each) ? each : isProblem(each) ? { ...each, ...NOT_DONE } : null));
  }

  /** The verdict of a command by its key; null while it is not folded. */
  async verdict(key: string): Promise<S.Verdict | null> {
    const answer = await this.#send<unknown>("GET", `/commands/${encodeURIComponent(key)}`, {});
    return isVerdict(answer) ? answer : null;
  }

  territory(): Promise<S.Territory> {
    return this.#send("GET", "/territory", {});
  }

  sources(): Promise<S.SourceInfo[]> {
    return this.#send("GET", "/sources", {});
  }

  deadLetters(query: Query): Promise<S.DeadLetterPage> {
    return this.#send("GET", "/deadletters", query);
  }

  deadLetter(id: number): Promise<S.DeadLetter> {
    return this.#send("GET", `/deadletters/${id}`, {});
  }

  replayDeadLetter(id: number, record: unknown): Promise<S.Mended> {
    return this.#send("POST", `/deadletters/${id}/replay`, {}, { record });
  }

  dropDeadLetter(id: number, reason: string): Promise<unknown> {
    return this.#send("POST", `/deadletters/${id}/drop`, {}, { reason });
  }

  scoreboard(): Promise<unknown> {
    return this.#send("GET", "/scoreboard", {});
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** In the place of a verdict where a command of several was refused before it reached the fold. */
const NOT_DONE = { ok: false, number: null, row: null };

function isProblem(value: unknown): value is S.Problem & { id: string; warning: string } {
  return isObject(value) && typeof value.status === "number" && value.status >= 400 && isObject(value.text);
}

function isVerdict(value: unknown): value is S.Verdict {
  return isObject(value) && typeof value.ok === "boolean" && typeof value.reason === "string";
}

function verdictOf(error: unknown): S.Verdict {
  if (error instanceof Refused && isVerdict(error.body)) return error.body;
  throw error;
}
