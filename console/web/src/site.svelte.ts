// What the whole page shares: who is signed in, the stream, the clock, sources, names.

import { getContext, setContext } from "svelte";

import { Client, Refused } from "./api/client.js";
import type { Session, SourceInfo, Territory } from "./api/shapes.js";
import { LogClock } from "./live/clock.svelte.js";
import { Stream, type News } from "./live/stream.js";

/** After so long without a sign of life the data is old and looks it. */
export const STALE_MS = 25_000;
const EMPTY: Territory = { places: [], offices: [], categories: [] };

type Phase = "starting" | "signed_out" | "ready" | "unreachable";

export class Site {
  readonly client = new Client();
  readonly clock = new LogClock();

  phase = $state<Phase>("starting");
  /** The session ended while the page was open. */
  expired = $state(false);
  session = $state.raw<Session | null>(null);
  sources = $state.raw<SourceInfo[]>([]);
  territory = $state.raw<Territory>(EMPTY);
  leads = $state(false);
  broken = $state(false);
  /** Log time of what is shown, ms. */
  asOf = $state(0);
  /** Wall time of the last sign of life, ms. */
  heard = $state(Date.now());

  #stream: Stream | null = null;
  #listeners = new Set<(news: News) => void>();
  #parents = new Map<string, string | null>();

  constructor() {
    this.client.onExpired = () => this.#leave(true);
    const wake = () => this.#wake();
    document.addEventListener("visibilitychange", wake);
    addEventListener("pageshow", wake);
    addEventListener("online", wake);
  }

  get stale(): boolean {
    return this.phase === "ready" && this.clock.wall - this.heard > STALE_MS;
  }

  get isSimulated(): boolean {
    return this.session?.site.kind === "simulated";
  }

  /** Whether the signed-in person may do this at all. */
  may(action: string): boolean {
    return this.session?.principal.may.includes(action) ?? false;
  }

  /** See whether a session is there already. */
  async start(): Promise<void> {
    try {
      await this.#enter(await this.client.session());
    } catch (error) {
      this.phase = error instanceof Refused && error.status === 401 ? "signed_out" : "unreachable";
    }
  }

  async signIn(proof: { name: string; password: string } | { token: string }): Promise<void> {
    await this.#enter(await this.client.signIn(proof));
  }

  async signOut(): Promise<void> {
    await this.client.signOut().catch(() => {});
    this.#leave(false);
  }

  /** Hear every news of the stream; the answer stops it. */
  listen(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A snapshot was taken: the stream goes on from there. */
  snapshot(cursor: string, at: string): void {
    this.asOf = Date.parse(at);
    this.heard = Date.now();
    if (this.#stream) this.#stream.seen(cursor);
    else this.#open(cursor);
  }

  /** Whether a place is `above` or lies under it. */
  within = (place: string, above: string): boolean => {
    for (let at: string | null | undefined = place; at; at = this.#parents.get(at)) if (at === above) return true;
    return false;
  };

  async #enter(session: Session): Promise<void> {
    this.session = session;
    this.client.csrf = session.csrf;
    this.clock.zone = session.site.zone;
    this.clock.speed = session.site.speed;
    this.clock.set(session.site.now);
    this.expired = false;
    this.heard = Date.now();
    this.phase = "ready";
    const [territory, sources] = await Promise.allSettled([this.client.territory(), this.client.sources()]);
    if (territory.status === "fulfilled") this.territory = territory.value;
    if (sources.status === "fulfilled") this.sources = sources.value;
    this.#parents = new Map(this.territory.places.map((place) => [place.id, place.parent]));
  }

  #leave(expired: boolean): void {
    this.#stream?.stop();
    this.#stream = null;
    this.session = null;
    this.client.csrf = "";
    this.expired = expired;
    this.phase = "signed_out";
  }

  #open(cursor: string): void {
    const stream = new Stream({
      news: (news) => this.#hear(news),
      lead: (leads) => (this.leads = leads),
      broken: () => (this.broken = true),
    });
    this.#stream = stream;
    stream.start(cursor);
  }

  #hear(news: News): void {
    this.heard = Date.now();
    this.broken = false;
    if (news.type === "bye") {
      if (news.reason === "stopping") this.broken = true;
      else this.#leave(true);
      return;
    }
    if (news.type === "beat") {
      this.clock.set(news.now);
      this.asOf = Date.parse(news.now);
    } else if (news.type === "sources") this.sources = news.sources;
    else if (news.type === "changes") this.asOf = Date.parse(news.at);
    for (const listener of this.#listeners) listener(news);
  }

  #wake(): void {
    if (document.visibilityState !== "visible" || Date.now() - this.heard <= STALE_MS) return;
    this.#stream?.wake();
    for (const listener of this.#listeners) listener({ type: "reset" });
  }
}

const KEY = Symbol("site");

export function provideSite(site: Site): Site {
  return setContext(KEY, site);
}

export function useSite(): Site {
  return getContext<Site>(KEY);
}
