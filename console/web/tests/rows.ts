// Rows to try things on.

import type { Row } from "../src/api/shapes.js";

const NAMED = { id: "p", zh: "望汀街道", en: "Wangting" };

/** A row with what is given, plain otherwise. */
export function rowOf(given: Partial<Row>): Row {
  return {
    id: "w1",
    number: 1,
    level: "blue",
    proposed: "blue",
    confirmed: null,
    awaiting: 0,
    state: "open",
    kind: "matter",
    target: "late",
    subject: "hotline/GD1",
    sentence: { zh: "句", en: "Sentence" },
    reason: { zh: "由", en: "reason" },
    office: NAMED,
    place: NAMED,
    category: NAMED,
    probability: 0.3,
    horizon_h: 72,
    recurrence_days: null,
    clock: { share: 0.5, due: "2026-11-26T09:30:00Z", overdue: false },
    since: "2026-11-24T00:00:00Z",
    at: "2026-11-24T00:00:00Z",
    linked: 0,
    taken_by: null,
    next_update_by: null,
    outcome: null,
    past_budget: false,
    ...given,
  };
}
