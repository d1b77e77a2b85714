// Light or dark: as the system has it, until the reader chooses.

export type Choice = "system" | "light" | "dark";
const KEPT = "forewarn.theme";

class Theme {
  choice = $state<Choice>(read());
  #dark = matchMedia("(prefers-color-scheme: dark)");
  #system = $state(this.#dark.matches);

  constructor() {
    this.#dark.addEventListener("change", (event) => {
      this.#system = event.matches;
      this.apply();
    });
    this.apply();
  }

  get isDark(): boolean {
    return this.choice === "dark" || (this.choice === "system" && this.#system);
  }

  /** System, light, dark, and round again. */
  turn(): void {
    this.choice = this.choice === "system" ? "light" : this.choice === "light" ? "dark" : "system";
    localStorage.setItem(KEPT, this.choice);
    this.apply();
  }

  apply(): void {
    document.documentElement.dataset.theme = this.isDark ? "dark" : "light";
  }
}

function read(): Choice {
  const kept = localStorage.getItem(KEPT);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export const theme = new Theme();
