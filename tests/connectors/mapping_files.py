"""Files as eight cities might export the same matters: other words, signs, dates, orders; all invented."""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

CHINA = ZoneInfo("Asia/Shanghai")
ENGLISH = {
    "kind": ["Pothole", "Noise", "Street light out", "Illegal dumping", "Water leak"],
    "office": ["Public Works Department", "Sanitation Services", "Parks Department", "Water Authority"],
    "place": ["12 Main St", "4 Oak Avenue", "77 Mill Lane", "9 Harbour Road", "31 Park Street"],
    "channel": ["Phone", "Web portal", "Mobile app"],
    "text": ["The lamp, opposite no. 4, has been out for days", "Water runs over the pavement", "Loud music at night"],
    "person": ["Ann Smith", "Bob Jones", "Carla Diaz", "Dan Wu"],
}
CHINESE = {
    "kind": ["路灯不亮", "噪声扰民", "占道经营", "井盖破损", "垃圾清运"],
    "office": ["市城管局", "青山街道办事处", "市住建局", "供水公司", "环卫中心"],
    "place": ["青山街道第3网格", "东湖社区", "和平路18号", "新桥镇李家村", "滨江小区"],
    "channel": ["电话", "微信", "网站", "来访"],
    "text": ["小区门口路灯，三天没亮，请处理", "夜间施工噪声很大，影响休息", "井盖破损,存在安全隐患"],
    "person": ["张伟", "王芳", "李娜", "刘洋"],
}
LIFE = [("registered", 0), ("routed", 1), ("handling", 6), ("reported_done", 40), ("closed", 60)]


@dataclass(frozen=True)
class Step:
    """One step of an invented matter."""

    number: str
    matter: str
    step: str
    at: datetime
    facts: dict[str, str]


@dataclass(frozen=True)
class Made:
    """A file and the truth about it: columns by role, and when each step of each matter was."""

    path: Path
    id: str
    matter: str
    time: str
    step: str
    closed: str
    moments: dict[tuple[str, str], datetime]


def matters(
    seed: int, words: dict[str, list[str]], zone: tzinfo, *, days: float = 90, first_twelve: bool = False
) -> list[list[Step]]:
    """300 lives of invented matters, each a list of steps in order; some are still open at the end."""
    dice = random.Random(seed)
    found = []
    start = datetime(2024, 1, 1, tzinfo=zone)
    line = 1000
    for number, offset in enumerate(sorted(dice.uniform(0, days) for _ in range(300))):
        at = start + timedelta(days=offset)
        if first_twelve:
            at = at.replace(day=1 + at.day % 10)
        facts = {name: dice.choice(values) for name, values in words.items()}
        facts["phone"] = f"1{dice.randrange(3, 10)}{dice.randrange(10**8, 10**9)}"
        facts["lat"] = f"{30 + dice.random():.6f}"
        facts["text"] += f" {dice.randrange(1000)}"
        facts["due"] = (at + timedelta(days=dice.choice([5, 5, 15]))).isoformat()
        life = []
        for step, hours in LIFE[: dice.choice([3, 5, 5, 5, 5, 5])]:
            moment = at + timedelta(hours=hours * dice.uniform(0.5, 1.0 if first_twelve else 2.0))
            if first_twelve and moment.day > 12:
                break
            line += dice.randrange(1, 4)
            life.append(
                Step(f"E{line}", f"GD{seed}{20240000 + number}", step, moment.replace(second=0, microsecond=0), facts)
            )
        found.append(life)
    return found


def table(path: Path, columns: list[str], rows: list[list[str]], *, encoding: str = "utf-8", mark: str = ",") -> Path:
    """Write rows as CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\r\n").writerows([columns, *rows])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def moments(lives: list[list[Step]]) -> dict[tuple[str, str], datetime]:
    """When each step of each matter was, in UTC."""
    return {(s.matter, s.step): s.at.astimezone(UTC) for life in lives for s in life}


Write = Callable[[datetime], str]


def long_file(
    folder: Path, name: str, lives: list[list[Step]], columns: dict[str, str], words: dict[str, str], write: Write,
    dice: random.Random,
    *, order: str = "time", encoding: str = "utf-8", mark: str = ",", is_json: bool = False,
) -> Made:  # fmt: skip
    """One row per step; `columns` role -> header (shuffled), `words` step -> the city's word for it."""
    roles = list(columns)
    dice.shuffle(roles)
    steps = [step for life in lives for step in life]
    if order != "matter":
        steps.sort(key=lambda s: s.at, reverse=order == "newest")
    rows = [[_cell(role, step, words, write) for role in roles] for step in steps]
    heads = [columns[role] for role in roles]
    path = folder / name
    if is_json:
        path.write_bytes(b"".join(orjson.dumps(dict(zip(heads, row, strict=True))) + b"\n" for row in rows))
    else:
        table(path, heads, rows, encoding=encoding, mark=mark)
    return Made(path, columns.get("number", ""), columns["matter"], columns["at"], columns["step"], "", moments(lives))


def wide_file(
    folder: Path, name: str, lives: list[list[Step]], columns: dict[str, str], write: Write, dice: random.Random,
    *, encoding: str = "utf-8", mark: str = ",",
) -> Made:  # fmt: skip
    """One row per matter; the roles registered and closed are time columns."""
    roles = list(columns)
    dice.shuffle(roles)
    rows = []
    for life in lives:
        ats = {step.step: write(step.at) for step in life}
        rows.append([ats.get(role, "") if role in dict(LIFE) else _cell(role, life[0], {}, write) for role in roles])
    path = table(folder / name, [columns[role] for role in roles], rows, encoding=encoding, mark=mark)
    kept = {key: at for key, at in moments(lives).items() if key[1] in columns}
    return Made(path, columns["matter"], columns["matter"], columns["registered"], "", columns["closed"], kept)


def _cell(role: str, step: Step, words: dict[str, str], write: Write) -> str:
    if role == "step":
        return words[step.step]
    if role in ("number", "matter"):
        return str(getattr(step, role))
    if role in ("at", "due"):
        return write(step.at if role == "at" else datetime.fromisoformat(step.facts["due"]))
    return step.facts.get(role, "")


def eight_files(folder: Path, seed: int) -> list[Made]:
    """Chinese headers, GB 18030, dd/mm and mm/dd dates, wide and long, shuffled columns, meaningless headers."""
    dice = random.Random(seed)
    chinese = matters(seed, CHINESE, CHINA)
    english = matters(seed + 100, ENGLISH, UTC)
    twelve = matters(seed + 200, ENGLISH, UTC, first_twelve=True)
    zh = {"registered": "登记", "routed": "派单", "handling": "办理中", "reported_done": "报结", "closed": "办结"}
    en = {
        "registered": "Opened",
        "routed": "Assigned",
        "handling": "In progress",
        "reported_done": "Resolved",
        "closed": "Closed",
    }
    odd = {
        "registered": "New",
        "routed": "Dispatch",
        "handling": "Working",
        "reported_done": "Fixed",
        "closed": "Archived",
    }

    def by(pattern: str) -> Write:
        return lambda at: at.strftime(pattern)

    facts_zh = {"kind": "诉求类别", "office": "承办单位", "place": "事发地址", "text": "诉求内容"}
    facts_zh |= {"phone": "联系电话", "channel": "来源渠道"}
    facts_en = {"kind": "Category", "office": "Department", "place": "Address", "text": "Description"}
    facts_en |= {"person": "Caller name"}
    a = {"number": "流水号", "matter": "工单编号", "at": "操作时间", "step": "环节", **facts_zh}
    b = {"matter": "事项号", "at": "时间", "step": "当前状态", "due": "办理期限", **facts_zh}
    c = {"matter": "工单号", "registered": "受理时间", "closed": "办结时间", "due": "应办结时限", **facts_zh}
    d = {"matter": "Reference", "registered": "Opened", "closed": "Closed", "lat": "Latitude", **facts_en}
    e = {
        "number": "EventID",
        "matter": "CaseID",
        "at": "Timestamp",
        "step": "Activity",
        "due": "TargetDate",
        **facts_en,
    }
    f = {"matter": "f1", "registered": "f2", "closed": "f3", "kind": "f4", "office": "f5", "text": "f6", "person": "f7"}
    g = {"number": "A", "matter": "B", "at": "C", "step": "D", "kind": "E", "office": "F", "channel": "G", "lat": "H"}
    h = {"matter": "nr", "registered": "start", "closed": "finish", "kind": "topic", "office": "team", "text": "note"}
    han, day_first, gb = by("%Y年%m月%d日 %H时%M分"), by("%d/%m/%Y %H:%M"), "gb18030"
    return [
        long_file(folder, "a.csv", chinese, a, zh, by("%Y-%m-%d %H:%M:%S"), dice),
        long_file(folder, "b.csv", chinese, b, zh, han, dice, order="matter", encoding=gb),
        wide_file(folder, "c.csv", chinese, c, by("%Y/%m/%d %H:%M"), dice, encoding=gb),
        wide_file(folder, "d.csv", english, d, day_first, dice),
        long_file(folder, "e.csv", english, e, en, by("%m/%d/%Y %I:%M %p"), dice, order="newest"),
        wide_file(folder, "f.csv", english, f, by("%Y-%m-%dT%H:%M:%S"), dice, mark="|"),
        long_file(folder, "g.tsv", english, g, odd, by("%d.%m.%Y %H:%M"), dice, mark="\t"),
        wide_file(folder, "h.csv", twelve, h, by("%d-%m-%Y %H:%M"), dice, mark=";"),
    ]
