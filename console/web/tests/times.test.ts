import assert from "node:assert/strict";
import { test } from "node:test";

import { clock, dueDay, exact, fieldMoment, fieldValue, moment, relative, span } from "../src/format/times.js";

const ZONE = "Asia/Shanghai";
const NOW = Date.parse("2026-11-24T02:42:00Z");
const MINUTE = 60_000;

test("a list says how long ago", () => {
  assert.equal(relative(NOW - 18 * MINUTE, NOW, "zh-CN"), "18分钟前");
  assert.equal(relative(NOW - 18 * MINUTE, NOW, "en"), "18 min. ago");
});

test("a span of two days and more is told in days", () => {
  assert.equal(span(2 * 1440 * MINUTE, "zh-CN"), "2天");
  assert.equal(span(47 * 60 * MINUTE, "en"), "47 h");
});

test("a moment is told as it is on the wall of the site", () => {
  assert.equal(moment(NOW, NOW, ZONE, "zh-CN"), "11月24日10:42");
  assert.equal(moment(NOW, NOW, ZONE, "en"), "24 Nov 10:42");
  assert.equal(exact(NOW, ZONE), "2026-11-24 10:42:00 Asia/Shanghai");
  assert.equal(clock(NOW, ZONE), "10:42:00");
});

test("the year is told where it is another one", () => {
  assert.equal(moment(Date.parse("2027-01-11T04:00:00Z"), NOW, ZONE, "zh-CN"), "2027年1月11日12:00");
});

test("what is due today is told by the hour, the rest by the day", () => {
  assert.equal(dueDay(Date.parse("2026-11-24T09:30:00Z"), NOW, ZONE, "zh-CN"), "17:30");
  assert.equal(dueDay(Date.parse("2026-11-26T09:30:00Z"), NOW, ZONE, "en"), "26 Nov");
});

test("a field of date and time means the site's zone, whatever the browser's is", () => {
  for (const zone of [ZONE, "America/New_York", "Australia/Lord_Howe", "UTC"]) {
    assert.equal(fieldMoment(fieldValue(NOW, zone), zone), NOW);
  }
  assert.ok(Number.isNaN(fieldMoment("", ZONE)));
});
