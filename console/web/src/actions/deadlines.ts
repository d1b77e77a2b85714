// By when the next update may be promised: a few plain choices.

import { fieldMoment, fieldValue } from "../format/times.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export interface Choice {
  id: "half_hour" | "two_hours" | "end_of_day" | "tomorrow_noon";
  at: number;
}

/** The choices that still lie ahead at `now`, soonest first. */
export function choices(now: number, zone: string): Choice[] {
  const today = fieldValue(now, zone).slice(0, 10);
  const tomorrow = fieldValue(now + DAY, zone).slice(0, 10);
  const all: Choice[] = [
    { id: "half_hour", at: now + 30 * MINUTE },
    { id: "two_hours", at: now + 120 * MINUTE },
    { id: "end_of_day", at: fieldMoment(`${today}T17:30`, zone) },
    { id: "tomorrow_noon", at: fieldMoment(`${tomorrow}T12:00`, zone) },
  ];
  return all.filter((choice) => choice.at > now + MINUTE).sort((a, b) => a.at - b.at);
}
