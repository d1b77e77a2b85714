"""Ten thousand invented identifiers are planted in texts; after a back-test none of them is found in any file.

Half of them are of the forms that the grammar of the simulated city knows, half of forms that its author did not write:
papers, cards, plates, accounts, numbers in Chinese numerals or full width, names in the contexts of real complaints.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest

from connectors.simulator import write
from connectors.simulator.wording import UNASSIGNED
from runners.backtest import Task, backtest
from runners.log_sqlite import Logs

CANARIES = 10_000
MARK = "哨兵文本"
"""Stands in every text and must be found afterwards, or the search proves nothing."""
START = 10
"""Bytes by which a needle is first looked for."""
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何林罗高"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英玉华建文红梅志鹏婷雪"
DIGITS = "零一二三四五六七八九"


def mobile(rng: random.Random) -> str:
    return rng.choice(UNASSIGNED) + f"{rng.randrange(10**8):08d}"


def spaced(rng: random.Random) -> str:
    number, mark = mobile(rng), rng.choice(" -")
    return mark.join((number[:3], number[3:7], number[7:]))


def wide(rng: random.Random) -> str:
    return mobile(rng).translate(str.maketrans("0123456789", "０１２３４５６７８９"))


def spoken(rng: random.Random) -> str:
    return "一三" + "".join(rng.choice(DIGITS) for _ in range(9))


def landline(rng: random.Random) -> str:
    return f"0{rng.randrange(310, 999)}-{rng.randrange(2000000, 8999999)}"


def id_number(rng: random.Random) -> str:
    """Region 990000 is nobody's; date, sequence and check character are formed as the standard says."""
    born = f"{rng.randrange(1940, 2012)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    body = f"990000{born}{rng.randrange(1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]


def card(rng: random.Random) -> str:
    body = "621799" + f"{rng.randrange(10**12):012d}"
    odd = sum(sum(divmod(2 * int(digit), 10)) for digit in body[::-1][::2])
    return body + str(-(odd + sum(map(int, body[::-1][1::2]))) % 10)


def email(rng: random.Random) -> str:
    return f"canary.{rng.randrange(10**7):07d}@example.org"


def plate(rng: random.Random) -> str:
    return f"{rng.choice('京沪浙苏粤川鲁')}{rng.choice('ABCDEFGH')}{rng.randrange(10**5):05d}"


def passport(rng: random.Random) -> str:
    return f"E{rng.randrange(10**8):08d}"


def chat(rng: random.Random) -> str:
    return f"wx_{rng.randrange(10**8):08d}"


def door(rng: random.Random) -> str:
    return f"{rng.randrange(100, 999)}号楼{rng.randrange(10, 99)}单元{rng.randrange(1000, 9999)}室"


def full_name(rng: random.Random) -> str:
    return rng.choice(SURNAMES) + "".join(rng.choice(GIVEN) for _ in range(2))


Planted = tuple[Callable[[random.Random], str], tuple[str, ...]]
OF_THE_GRAMMAR: tuple[Planted, ...] = (
    (mobile, ("联系电话{}，王女士", "我姓李，电话{}", "请打{}联系张师傅", "回电{}")),
    (door, ("我家在{}", "{}这边", "住{}")),
)
OF_OUR_OWN: tuple[Planted, ...] = (
    (spaced, ("打我手机{}", "{}（白天打）")),
    (wide, ("手机号{}，谢谢",)),
    (spoken, ("电话是{}", "{}是我的号")),
    (landline, ("座机{}没人接", "请打{}")),
    (id_number, ("身份证{}", "证件号码：{}，请核实", "{}这个人登记过")),
    (card, ("退款退到{}", "卡号{}一直没到账")),
    (email, ("邮箱{}", "材料发到{}了")),
    (plate, ("车牌{}占了车位", "{}天天停在通道")),
    (passport, ("护照号{}",)),
    (chat, ("加微信{}", "微信号：{}")),
    (full_name, ("我叫{}，楼道没灯", "联系人：{}，白天在家", "业主{}反映电梯坏了", "姓名：{}")),
)


def canaries(seed: int = 23) -> Iterator[tuple[str, str]]:
    """Each identifier with a sentence that holds it."""
    rng = random.Random(seed)
    for number in range(CANARIES):
        kinds = OF_THE_GRAMMAR if number % 2 else OF_OUR_OWN
        make, frames = kinds[number // 2 % len(kinds)]
        value = make(rng)
        yield value, rng.choice(frames).format(value)


def needles(values: list[str]) -> list[bytes]:
    """What to look for: each identifier as written, as bare digits, and in UTF-16 as a spreadsheet would write it."""
    forms = set(values) | {value.replace(" ", "").replace("-", "") for value in values}
    return [form.encode() for form in forms] + [form.encode("utf-16-le") for form in forms]


def found_in(data: bytes, wanted: list[bytes]) -> list[bytes]:
    """Those of the needles that occur in the data; one pass, whatever their number."""
    by_start: dict[int, list[bytes]] = defaultdict(list)
    for needle in wanted:
        by_start[int.from_bytes(needle[:8].ljust(8, b"\0"), "little") & _mask(needle)].append(needle)
    hits = []
    for size in {min(len(needle), 8) for needle in wanted}:
        keys = np.array([key for key, own in by_start.items() if min(len(own[0]), 8) == size], np.uint64)
        for begin in range(0, len(data), 1 << 22):
            part = np.frombuffer(data[begin : begin + (1 << 22) + 8], np.uint8)
            if len(part) < size:
                continue
            windows = np.zeros(len(part) - size + 1, np.uint64)
            for place in range(size):
                windows |= part[place : len(part) - size + 1 + place].astype(np.uint64) << np.uint64(8 * place)
            for position in np.flatnonzero(np.isin(windows, keys)).tolist():
                own = by_start[int(windows[position])]
                hits += [needle for needle in own if data.startswith(needle, begin + position)]
    return hits


def _mask(needle: bytes) -> int:
    return (1 << 8 * min(len(needle), 8)) - 1


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A back-test of ten thousand reports with one canary each, and the canaries."""
    folder = tmp_path_factory.mktemp("canaries")
    write(folder, seed=5, days=1, grids=12, sensors=1)
    values = []
    with (folder / "reports.jsonl").open("wb") as file:
        for number, (value, sentence) in enumerate(canaries()):
            values.append(value)
            report = {
                "id": f"{number:05d}-01",
                "matter": f"{number:05d}",
                "at": f"2025-05-{12 + number // 1000:02d}T{8 + number % 1000 // 100:02d}:{number % 60:02d}:00+08:00",
                "step": "registered",
                "category": f"M{1 + number % 30:02d}",
                "place": "c1t1g001",
                "point": f"{number % 400:03d}",
                "office": "c1-D05",
                "channel": "hotline",
                "due": f"2025-06-{1 + number % 20:02d}T17:30:00+08:00",
                "rule": "5wd",
                "scope": "one",
                "topic": "M01-1",
                "history": "first",
                "limit_hours": 120.0,
                "text": f"{MARK}，路灯坏了两天，{sentence}。",
                "synthetic": True,
            }
            file.write(orjson.dumps(report, option=orjson.OPT_APPEND_NEWLINE))
    backtest(
        Task(
            mapping=folder / "mapping.yaml",
            inputs=(folder / "reports.jsonl",),
            out=folder / "out",
            config=folder / "config.yaml",
        )
    )
    return folder / "out", values


def test_no_file_of_a_back_test_holds_a_planted_identifier(run: tuple[Path, list[str]]) -> None:
    out, values = run
    wanted = needles(values)
    files = [path for path in out.rglob("*") if path.is_file()]
    assert {"log.db", "store.db", "warnings.jsonl", "scores.csv", "report.html"} <= {path.name for path in files}
    left = {path.name: found_in(path.read_bytes(), wanted)[:5] for path in files}
    assert {name: [needle.decode() for needle in hits] for name, hits in left.items() if hits} == {}


def test_no_text_that_is_kept_holds_a_planted_identifier(run: tuple[Path, list[str]]) -> None:
    out, values = run
    with Logs(out / "log.db", readonly=True) as logs:
        kept = [text for (text,) in logs.db.execute("SELECT text FROM texts")]
    joined = "\n".join(text if isinstance(text, str) else bytes(text).decode() for text in kept).encode()
    assert len(kept) == CANARIES
    assert found_in(joined, needles(values)) == []


def test_the_search_finds_what_is_there(run: tuple[Path, list[str]]) -> None:
    data = (run[0] / "log.db").read_bytes()
    assert MARK.encode() in found_in(data, [MARK.encode()])
    assert found_in(b"... " + run[1][3].encode() + b" ...", needles(run[1]))
