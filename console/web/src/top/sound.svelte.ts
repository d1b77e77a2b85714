// A sound for each level; red again and again until somebody has taken it.

import type { LevelName } from "../api/shapes.js";

const KEPT = "forewarn.sound";
const AGAIN_MS = 12_000;

/** Tones in Hz, one after another, each of so many ms. */
const TONES: Record<LevelName | "stale", { hz: number[]; ms: number }> = {
  blue: { hz: [392], ms: 160 },
  yellow: { hz: [440, 523], ms: 170 },
  orange: { hz: [523, 659, 523], ms: 190 },
  red: { hz: [880, 659, 880, 659], ms: 220 },
  stale: { hz: [330, 247], ms: 320 },
};

export class Sound {
  on = $state(localStorage.getItem(KEPT) !== "off");
  /** The browser wants a click first. */
  blocked = $state(false);

  #context: AudioContext | null = null;
  #again: ReturnType<typeof setInterval> | null = null;

  constructor() {
    const unlock = () => void this.unlock();
    // Not at pointerdown: the banner would go while the button is down, and what moves up would lose the click.
    addEventListener("click", unlock);
    addEventListener("keydown", unlock);
  }

  turn(): void {
    this.on = !this.on;
    localStorage.setItem(KEPT, this.on ? "on" : "off");
    if (!this.on) this.repeat(false);
  }

  /** After a click or a key the browser lets us. */
  async unlock(): Promise<void> {
    const context = this.#context;
    if (!context) return;
    await context.resume().catch(() => {});
    this.blocked = context.state !== "running";
  }

  /** Find out whether the browser would let us sound. */
  try(): void {
    if (!this.on) return;
    this.#context ??= new AudioContext();
    this.blocked = this.#context.state !== "running";
  }

  play(level: LevelName | "stale"): void {
    if (!this.on) return;
    this.try();
    const context = this.#context;
    if (!context || context.state !== "running") return;
    const { hz, ms } = TONES[level];
    hz.forEach((frequency, n) => {
      const from = context.currentTime + (n * ms) / 1000;
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.frequency.value = frequency;
      tone.type = level === "red" ? "triangle" : "sine";
      // Swelling and fading, or each tone would click.
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(0.22, from + 0.02);
      volume.gain.linearRampToValueAtTime(0, from + ms / 1000);
      tone.connect(volume).connect(context.destination);
      tone.start(from);
      tone.stop(from + ms / 1000);
    });
  }

  /** Repeat red while one waits. */
  repeat(wanted: boolean): void {
    if (wanted === (this.#again !== null)) return;
    if (this.#again) clearInterval(this.#again);
    this.#again = wanted ? setInterval(() => this.play("red"), AGAIN_MS) : null;
  }
}

export const sound = new Sound();
