// What the server sends, as its OpenAPI describes it. Times are RFC 3339 in UTC.

export type LevelName = "blue" | "yellow" | "orange" | "red";
export type Level = LevelName | null;
export type State = "open" | "acknowledged" | "closed" | "ended";
export type Outcome = "confirmed" | "valuable" | "false_alarm" | "late_but_true" | "already_known";
export type CommandName = "acknowledge" | "confirm" | "decline" | "assign" | "note" | "close" | "reopen" | "undo";

/** A text in both languages of the console. */
export interface Said {
  zh: string;
  en: string;
}

/** An office, a place or a category with its names. */
export interface Named extends Said {
  id: string;
}

export type Role = "duty_officer" | "approver" | "administrator";

/** An error in words, with what to do about it (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  reason: string;
  text: Said;
  remedy: Said;
}

export interface Session {
  principal: {
    name: string;
    role: Role;
    role_text: Said;
    office: Named | null;
    post: string;
    area: Named;
    may: string[];
  };
  csrf: string;
  expires: string;
  site: {
    name: Said;
    kind: "live" | "simulated" | "drill";
    speed: number;
    zone: string;
    languages: string[];
    now: string;
  };
  caption: Said;
  not_for_ranking: Said;
  version: string;
}

export interface RowClock {
  share: number | null;
  due: string;
  overdue: boolean;
}

/** `level` is what the office sees, `proposed` what the list is ordered and counted by. */
export interface Row {
  id: string;
  number: number;
  level: Level;
  proposed: Level;
  confirmed: Level;
  awaiting: number;
  state: State;
  kind: string;
  target: string | null;
  subject: string;
  sentence: Said;
  reason: Said;
  office: Named | null;
  place: Named | null;
  category: Named | null;
  probability: number | null;
  horizon_h: number | null;
  recurrence_days: number | null;
  clock: RowClock | null;
  since: string;
  at: string;
  linked: number;
  taken_by: string | null;
  next_update_by: string | null;
  outcome: Outcome | null;
  past_budget: boolean;
}

export interface Counts {
  red: number;
  orange: number;
  yellow: number;
  blue: number;
  awaiting: number;
}

/** How far each partition of each log has been read. */
export type Cursor = Record<string, number>;

export interface QueuePage {
  cursor: string;
  at: string;
  total: number;
  counts: Counts;
  items: Row[];
  next: string | null;
}

export interface Group {
  place: Named | null;
  category: Named | null;
  kind: string;
  counts: Counts;
  total: number;
  worst: Row;
}

export interface GroupPage {
  cursor: string;
  at: string;
  total: number;
  counts: Counts;
  items: Group[];
}

export interface Reason extends Said {
  code: string;
  why: string;
  weight: number;
  share: number;
  target: string;
}

export interface DutyClock extends Said {
  id: string;
  legal_source: string;
  started: string | null;
  due: string;
  share: number | null;
  overdue: boolean;
  paused: boolean;
  stopped: string | null;
  provisional: boolean;
}

export interface Happening {
  at: string;
  type: string;
  text: Said;
  by: string | null;
  role: string | null;
  office: Named | null;
  number: number | null;
  level: Level;
  proposed: Level;
  remark: string | null;
}

export interface Detail extends Row {
  reasons: Reason[];
  cutoff: { level: Level; direction: string; value: number; score: number } | null;
  clocks: DutyClock[];
  timeline: Happening[];
  scores: { at: string; probability: number }[];
  related: Row[];
  versions: Record<string, string | number>;
  evidence: { log: string; partition: number; offset: number; index: number }[];
  text: string | null;
  advice: Said[];
  may: string[];
}

export interface Verdict {
  id: string;
  warning: string;
  ok: boolean;
  reason: string;
  text: Said;
  number: number | null;
  row: Row | null;
}

export interface PlaceInfo extends Named {
  parent: string | null;
  level: string;
}

export interface OfficeInfo extends Named {
  kind: string;
  place: string;
}

export interface Territory {
  places: PlaceInfo[];
  offices: OfficeInfo[];
  categories: Named[];
}

export interface SourceInfo extends Said {
  name: string;
  state: "receiving" | "delayed" | "interrupted" | "never";
  last_at: string | null;
  interval_s: number | null;
  accepted: number;
  applied: number;
  duplicate: number;
  late: number;
  dead_lettered: number;
  dropped_fields: number;
  pending: number;
}

export interface DeadLetter {
  id: number;
  source: string;
  position: string;
  reason: string;
  field: string;
  detail: string;
  remedy: string;
  size: number;
  sha256: string;
  body: string | null;
}

export interface DeadLetterPage {
  total: number;
  reasons: Record<string, number>;
  items: DeadLetter[];
  next: string | null;
}

export interface Mended {
  id: number;
  ok: boolean;
  reason: string;
  detail: string;
  remedy: string;
}
