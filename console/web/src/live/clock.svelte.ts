// Log time beside wall time: in a simulated city a second may be a minute.

/** The site's log time, told by the server now and then and carried on between at its speed. */
export class LogClock {
  zone = $state("Asia/Shanghai");
  speed = $state(1);
  /** Log time and wall time in ms, renewed every half second. */
  now = $state(Date.now());
  wall = $state(Date.now());

  #at = Date.now();
  #seen = performance.now();

  constructor() {
    setInterval(() => this.#tick(), 500);
  }

  /** Take over what the server says: RFC 3339. */
  set(now: string): void {
    const at = Date.parse(now);
    if (Number.isNaN(at)) return;
    this.#at = at;
    this.#seen = performance.now();
    this.#tick();
  }

  #tick(): void {
    this.wall = Date.now();
    this.now = this.#at + (performance.now() - this.#seen) * this.speed;
  }
}
