"""From a warning to its receipt: told once, settled in the store, and a fact of the site log."""

import json
from pathlib import Path
from typing import Any

from alerts.deliver import DIGEST_US
from alerts.deliveries import Deliveries
from alerts.sinks.json_lines import FILE
from alerts.store import Store
from pipeline.frame import Frame, Kind
from runners.clock import SetClock
from runners.log_sqlite import Logs
from tests.runners.live.test_files import until
from tests.runners.live.town import BEGIN, overdue, running, send


def told(data: Path) -> list[dict[str, Any]]:
    """Notifications in the file."""
    path = data / FILE
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def receipts(data: Path) -> list[dict[str, Any]]:
    """Receipts in the site log."""
    with Logs(data / "log.db", readonly=True) as logs:
        frames = [Frame.from_bytes(body, offset) for offset, body in logs.read("site", 0)]
    return [fact for frame in frames if Kind.FACT in frame.kinds for fact in frame.others if "receipt" in fact]


def test_a_warning_is_told_and_its_receipt_logged(town: Path, tmp_path: Path) -> None:
    data, clock = tmp_path / "data", SetClock(BEGIN)
    with running(town, data, clock) as site:
        send(site, "hotline", [overdue(1), overdue(2)])
        until(site, lambda: site.delivery.depth().get("waiting") == 1)
        clock.advance(DIGEST_US)
        until(site, lambda: site.delivery.depth() == {"sent": 1})
    (notification,) = told(data)
    assert (notification["office"]["id"], notification["kind"], len(notification["items"])) == ("works", "digest", 2)
    assert "逾期" in notification["items"][0]["sentence"]["zh"]
    assert [(fact["receipt"], fact["ok"]) for fact in receipts(data)] == [(notification["key"], True)]


def test_what_waited_when_the_site_stopped_is_told_by_the_next_one(town: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(town, data) as site:
        send(site, "hotline", [overdue(1)])
        until(site, lambda: site.delivery.depth().get("waiting") == 1)
    assert told(data) == []
    with running(town, data, SetClock(BEGIN + DIGEST_US)) as site:
        until(site, lambda: site.delivery.depth() == {"sent": 1})
    assert len(told(data)) == 1


def test_a_notification_without_a_receipt_is_told_again_under_its_key_and_seen_once(town: Path, tmp_path: Path) -> None:
    data, clock = tmp_path / "data", SetClock(BEGIN)
    with running(town, data, clock) as site:
        send(site, "hotline", [overdue(1)])
        until(site, lambda: site.delivery.depth().get("waiting") == 1)
        clock.advance(DIGEST_US)
        until(site, lambda: site.delivery.depth() == {"sent": 1})
    # as if it had been killed between the line and its receipt
    store = Store(data / "store.db")
    Deliveries(store).settle([{"id": 1, "state": "waiting", "attempts": 0, "due": 0}])
    store.close()
    with running(town, data, clock) as site:
        until(site, lambda: site.delivery.depth() == {"sent": 1})
    assert len(told(data)) == 1
    assert len({fact["receipt"] for fact in receipts(data)}) == 1
    assert len(receipts(data)) == 2


def test_a_past_that_was_only_simulated_is_passed_over(town: Path, tmp_path: Path) -> None:
    with running(town, tmp_path / "data") as site:
        send(site, "hotline", [overdue(1)])
        site.delivery.stop()
        site.call(site.delivery.pass_over).result()
        assert site.call(lambda: Deliveries(site.site.store).wishes("json_lines")).result() == []
