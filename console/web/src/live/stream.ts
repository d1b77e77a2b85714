// One stream of changes per browser: the tab that holds the lock reads it and tells the others.

import type { Counts, Row, SourceInfo } from "../api/shapes.js";
import { formatCursor, later, parseCursor } from "./cursor.js";
import { EventReader } from "./events.js";

export type News =
  | { type: "changes"; rows: Row[]; counts: Counts; cursor: string; at: string }
  | { type: "beat"; at: string; now: string }
  | { type: "sources"; sources: SourceInfo[] }
  | { type: "reset" }
  | { type: "bye"; reason: string };

export interface Listener {
  news(news: News): void;
  /** Whether this tab reads the stream itself. */
  lead(leads: boolean): void;
  /** The stream broke off or could not be opened; it is tried again. */
  broken(): void;
}

const LOCK = "forewarn.stream";
const CHANNEL = "forewarn.stream";
const STALLED_MS = 25_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

export class Stream {
  cursor = "";
  /** Wall time of the last sign of life, ms. */
  heard = Date.now();

  #listener: Listener;
  #channel = new BroadcastChannel(CHANNEL);
  #stop = new AbortController();
  #reading: AbortController | null = null;

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#channel.onmessage = (message: MessageEvent<News>) => this.#take(message.data);
  }

  /** Begin where a snapshot ended. */
  start(cursor: string): void {
    this.seen(cursor);
    const locks = navigator.locks as LockManager | undefined;
    // Without locks (plain HTTP on another machine) every tab reads for itself.
    if (!locks) void this.#read();
    else void locks.request(LOCK, { signal: this.#stop.signal }, () => this.#read()).catch(() => {});
  }

  /** A snapshot was taken: resume no earlier than there. */
  seen(cursor: string): void {
    this.cursor = formatCursor(later(parseCursor(this.cursor), parseCursor(cursor)));
  }

  /** After a sleep: do not wait for a dead connection to time out. */
  wake(): void {
    this.#reading?.abort();
  }

  stop(): void {
    this.#stop.abort();
    this.#reading?.abort();
    this.#channel.close();
  }

  #take(news: News): void {
    this.heard = Date.now();
    if (news.type === "changes") this.seen(news.cursor);
    this.#listener.news(news);
  }

  #tell(news: News): void {
    if (this.#stop.signal.aborted) return;
    this.#channel.postMessage(news);
    this.#take(news);
  }

  async #read(): Promise<void> {
    this.#listener.lead(true);
    let wait = FIRST_RETRY_MS;
    while (!this.#stop.signal.aborted) {
      const began = Date.now();
      try {
        await this.#once();
      } catch {
        // Whatever broke it, the way back is the same: wait, then resume from the cursor.
      }
      if (this.#stop.signal.aborted) break;
      this.#listener.broken();
      wait = Date.now() - began > LAST_RETRY_MS ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, wait * 2);
      await sleep(wait * (0.5 + Math.random() / 2));
    }
    this.#listener.lead(false);
  }

  async #once(): Promise<void> {
    const reading = (this.#reading = new AbortController());
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (this.cursor) headers["last-event-id"] = this.cursor;
    const answer = await fetch("/api/v1/stream", { headers, credentials: "same-origin", signal: reading.signal });
    if (answer.status === 401) {
      this.#tell({ type: "bye", reason: "expired" });
      this.#stop.abort();
      return;
    }
    if (!answer.ok || !answer.body) throw new Error(String(answer.status));
    const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const reader = new EventReader();
    const watch = setInterval(() => Date.now() - this.heard > STALLED_MS && reading.abort(), 1_000);
    this.heard = Date.now();
    try {
      for (;;) {
        const { done, value } = await pieces.read();
        if (done) return;
        for (const event of reader.read(value)) this.#event(event.type, event.data);
      }
    } finally {
      clearInterval(watch);
    }
  }

  #event(type: string, data: string): void {
    const body: unknown = JSON.parse(data || "null");
    if (type === "sources") {
      const sources = Array.isArray(body) ? body : (body as { sources: SourceInfo[] }).sources;
      this.#tell({ type, sources: sources as SourceInfo[] });
    } else if (type === "changes" || type === "beat" || type === "reset" || type === "bye") {
      this.#tell({ ...(body as object), type } as News);
      // A server that stops comes back; a session that ended does not.
      if (type === "bye" && (body as { reason: string }).reason !== "stopping") this.#stop.abort();
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
