// Server-sent events from a stream of text. Read by hand, because EventSource cannot say where to resume from.

export interface ServerEvent {
  type: string;
  id: string;
  data: string;
}

/** Takes pieces of a stream as they come and gives the events that are whole. */
export class EventReader {
  #rest = "";
  #type = "";
  #id = "";
  #data: string[] = [];

  /** The events that `piece` completes. */
  read(piece: string): ServerEvent[] {
    const found: ServerEvent[] = [];
    this.#rest += piece;
    // A lone CR at the end may be the first half of CRLF: it waits for its other half.
    const cut = this.#rest.endsWith("\r") ? this.#rest.length - 1 : this.#rest.length;
    const lines = this.#rest.slice(0, cut).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + this.#rest.slice(cut);
    for (const line of lines) {
      const event = this.#line(line);
      if (event) found.push(event);
    }
    return found;
  }

  #line(line: string): ServerEvent | null {
    if (line === "") {
      const event = this.#data.length
        ? { type: this.#type || "message", id: this.#id, data: this.#data.join("\n") }
        : null;
      this.#type = "";
      this.#data = [];
      return event;
    }
    if (line.startsWith(":")) return null;
    const cut = line.indexOf(":");
    const field = cut < 0 ? line : line.slice(0, cut);
    const value = cut < 0 ? "" : line.slice(cut + 1).replace(/^ /, "");
    if (field === "event") this.#type = value;
    else if (field === "id") this.#id = value;
    else if (field === "data") this.#data.push(value);
    return null;
  }
}
