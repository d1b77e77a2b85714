"""JSON lines of readings: the good ones in columns, each bad one with its reason."""

import numpy as np
import pytest

from connectors.readings import MAX_LINE, decode
from pipeline.errors import Reason
from pipeline.ids import code64

GOOD = b'{"sensor": "S06-1", "at": 1767225600123, "value": 3.5}'
AT = 1_767_225_600_123_000


def test_lines_become_columns() -> None:
    decoded = decode(GOOD + b"\n\n" + b'{"value": -4, "sensor": "S07-2", "at": 1767225600124, "unit": "cm"}\n')
    assert decoded.readings["sensor"].tolist() == [code64("S06-1"), code64("S07-2")]
    assert decoded.readings["at"].tolist() == [AT, AT + 1000]
    assert decoded.readings["value"].tolist() == [3.5, -4.0]
    assert (decoded.names, decoded.refused) == (["S06-1", "S07-2"], [])


@pytest.mark.parametrize(
    "time", ["2026-01-01T00:00:00.123Z", "2026-01-01T08:00:00.123+08:00", "2025-12-31T19:30:00.123-04:30"]
)
def test_a_time_may_be_written_with_its_zone(time: str) -> None:
    line = b'{"sensor": "S06-1", "at": "%s", "value": 1}' % time.encode()
    assert decode(line).readings["at"].tolist() == [AT]


def test_times_written_in_two_manners_in_one_frame_are_read() -> None:
    decoded = decode(GOOD + b'\n{"sensor": "S06-1", "at": "2026-01-01T00:00:00.124Z", "value": 1}')
    assert decoded.readings["at"].tolist() == [AT, AT + 1000]


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        (b'{"sensor": "S06-1", "at": 1767', Reason.BROKEN_JSON, ""),
        (b"not json", Reason.BROKEN_JSON, ""),
        (b"[" * 3000, Reason.WRONG_TYPE, ""),
        (b'{"sensor": "S06-1", "at": 1767225600123, "value": 1, "x": ' + b"[" * 3000, Reason.TOO_DEEP, ""),
        (b'{"sensor": "\xff\xfe", "at": 1767225600123, "value": 1}', Reason.BAD_ENCODING, ""),
        ('{"sensor": "红谷滩水位", "at": 1767225600123, "value": 1}'.encode("gb18030"), Reason.BAD_ENCODING, ""),
        (b'{"sensor": "S06-1", "value": 1}', Reason.MISSING_FIELD, "at"),
        (b'{"sensor": "", "at": 1767225600123, "value": 1}', Reason.MISSING_FIELD, "sensor"),
        (b'{"sensor": "S06-1", "at": 1767225600123, "value": "1"}', Reason.WRONG_TYPE, "value"),
        (b'{"sensor": "S06-1", "at": 1767225600123, "value": true}', Reason.WRONG_TYPE, "value"),
        (b'{"sensor": 7, "at": 1767225600123, "value": 1}', Reason.WRONG_TYPE, "sensor"),
        (b'{"sensor": "S06-1", "at": 1767225600123, "value": NaN}', Reason.BROKEN_JSON, ""),
        (b'{"sensor": "S06-1", "at": 1767225600123, "value": 1e300}', Reason.NOT_FINITE, "value"),
        (b'{"sensor": "S06-1", "at": "2026-01-01 08:00:00", "value": 1}', Reason.BAD_TIME, "at"),
        (b'{"sensor": "S06-1", "at": "yesterday", "value": 1}', Reason.BAD_TIME, "at"),
        (b'{"sensor": "S06-1", "at": 1767225600123000, "value": 1}', Reason.BAD_TIME, "at"),
        (b'{"sensor": "S06-1", "at": 99999999999999999999, "value": 1}', Reason.BAD_TIME, "at"),
        (b'{"sensor": "S06-1", "at": 1767225600999, "value": 1}', Reason.TIME_IN_FUTURE, "at"),
        (b'{"sensor": "' + b"S" * 200 + b'", "at": 1767225600123, "value": 1}', Reason.TOO_LARGE, "sensor"),
        (GOOD + b" " * MAX_LINE, Reason.TOO_LARGE, ""),
    ],
)
def test_a_bad_line_is_refused_alone_and_by_name(line: bytes, reason: Reason, field: str) -> None:
    decoded = decode(b"\n".join([GOOD, line, GOOD]), latest=AT + 1000)
    assert decoded.readings["value"].tolist() == [3.5, 3.5]
    ((number, refusal),) = decoded.refused
    assert (number, refusal.reason, refusal.field) == (2, reason, field)


def test_ten_megabytes_in_one_line_do_not_stop_the_rest() -> None:
    decoded = decode(GOOD + b'\n{"sensor": "' + b"x" * 10_000_000 + b'"}\n' + GOOD)
    assert len(decoded.readings) == 2
    assert [refusal.reason for _, refusal in decoded.refused] == [Reason.TOO_LARGE]


def test_nothing_gives_no_readings() -> None:
    decoded = decode(b"\n \n")
    assert len(decoded.readings) == 0
    assert decoded.refused == []


def test_columns_are_ready_for_a_frame() -> None:
    assert decode(GOOD).readings.dtype.names == ("sensor", "at", "value")
    assert decode(GOOD).readings["at"].dtype == np.int64
