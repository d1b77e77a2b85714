// Times as a reader wants them: how long ago in lists, the exact local time on hover and in the detail.

export type Tongue = "zh-CN" | "en";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "18分钟前", "18 min ago"; `at` and `now` in ms. Under a minute it is told in seconds, past 60 days in months. */
export function relative(at: number, now: number, tongue: Tongue): string {
  const words = new Intl.RelativeTimeFormat(tongue, { style: "short", numeric: "always" });
  const gap = at - now;
  const size = Math.abs(gap);
  if (size < MINUTE) return words.format(Math.trunc(gap / 1000), "second");
  if (size < HOUR) return words.format(Math.trunc(gap / MINUTE), "minute");
  if (size < 2 * DAY) return words.format(Math.trunc(gap / HOUR), "hour");
  if (size < 60 * DAY) return words.format(Math.trunc(gap / DAY), "day");
  return words.format(Math.trunc(gap / (30 * DAY)), "month");
}

/** A span without direction: "2天", "3小时", "18分钟"; "2 d", "3 h", "18 min". */
export function span(ms: number, tongue: Tongue): string {
  const size = Math.max(0, ms);
  const zh = tongue === "zh-CN";
  if (size < MINUTE) return `${Math.floor(size / 1000)}${zh ? "秒" : " s"}`;
  if (size < HOUR) return `${Math.floor(size / MINUTE)}${zh ? "分钟" : " min"}`;
  if (size < 2 * DAY) return `${Math.floor(size / HOUR)}${zh ? "小时" : " h"}`;
  return `${Math.floor(size / DAY)}${zh ? "天" : " d"}`;
}

interface Parts {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** The numbers of a moment on the wall of `zone`. */
export function parts(at: number, zone: string): Parts {
  let format = FORMATS.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    FORMATS.set(zone, format);
  }
  const found: Record<string, string> = {};
  for (const part of format.formatToParts(at)) found[part.type] = part.value;
  return found as unknown as Parts;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "11月26日17:30", "26 Nov 17:30"; with the year where it is not this one. */
export function moment(at: number, now: number, zone: string, tongue: Tongue): string {
  const then = parts(at, zone);
  const other = then.year !== parts(now, zone).year;
  const [month, day, clock] = [Number(then.month), Number(then.day), `${then.hour}:${then.minute}`];
  if (tongue === "zh-CN") return `${other ? `${then.year}年` : ""}${month}月${day}日${clock}`;
  return `${day} ${MONTHS[month - 1]}${other ? ` ${then.year}` : ""} ${clock}`;
}

/** When something falls due: "17:30" today, else the day, "11月26日". */
export function dueDay(at: number, now: number, zone: string, tongue: Tongue): string {
  const then = parts(at, zone);
  const today = parts(now, zone);
  if (then.year === today.year && then.month === today.month && then.day === today.day) {
    return `${then.hour}:${then.minute}`;
  }
  return date(at, zone, tongue);
}

/** Everything: "2026-11-26 17:30:05 Asia/Shanghai". */
export function exact(at: number, zone: string): string {
  const then = parts(at, zone);
  return `${then.year}-${then.month}-${then.day} ${then.hour}:${then.minute}:${then.second} ${zone}`;
}

/** "17:30:05" on the wall of `zone`. */
export function clock(at: number, zone: string): string {
  const then = parts(at, zone);
  return `${then.hour}:${then.minute}:${then.second}`;
}

/** "11月26日", "26 Nov". */
export function date(at: number, zone: string, tongue: Tongue): string {
  const then = parts(at, zone);
  if (tongue === "zh-CN") return `${Number(then.month)}月${Number(then.day)}日`;
  return `${Number(then.day)} ${MONTHS[Number(then.month) - 1]}`;
}

/** The value of a `datetime-local` field that shows `at` in `zone`. */
export function fieldValue(at: number, zone: string): string {
  const then = parts(at, zone);
  return `${then.year}-${then.month}-${then.day}T${then.hour}:${then.minute}`;
}

/** The moment that a `datetime-local` value means in `zone`; NaN for an empty or broken one. */
export function fieldMoment(value: string, zone: string): number {
  const wanted = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(value) ? Date.parse(`${value}:00Z`) : NaN;
  if (Number.isNaN(wanted)) return NaN;
  // Two steps settle it: the offset found at the first guess holds at the second, but within a change of clocks.
  let at = wanted;
  for (let step = 0; step < 2; step++) {
    const shown = Date.parse(`${fieldValue(at, zone)}:00Z`);
    at += wanted - shown;
  }
  return at;
}
