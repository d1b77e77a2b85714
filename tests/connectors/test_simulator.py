"""The simulated city: repeatable, true to its own oracle, readable through its own mapping, and free of persons."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from config.load import load_settings
from connectors.history import history
from connectors.mapping import Mapping
from connectors.simulator import City, Sensors, write
from connectors.simulator.devices import DEVICES
from connectors.simulator.folder import signal_line
from connectors.simulator.latent import Burden, breach_after, chances
from connectors.simulator.outlines import outlines
from connectors.simulator.vocabulary import vocabulary
from connectors.simulator.wording import UNASSIGNED
from connectors.simulator.working_time import WorkingTime, civil, day_of, midnight, rfc3339
from pipeline.signal import Reading, Signal, Step

DAYS = 50
Truth = dict[str, Any]


class Lived:
    """One city lived for DAYS days: its signals, the truth of its matters by id, and its planted surges."""

    def __init__(self, seed: int) -> None:
        self.city = City(seed=seed)
        self.signals = list(self.city.signals(*self.city.span(DAYS)))
        truth = self.city.truth()
        self.matters: dict[str, Truth] = {one["matter"]: one for one in truth if one["kind"] == "matter"}
        self.surges = [one for one in truth if one["kind"] == "surge"]

    def of(self, *steps: Step) -> list[Signal]:
        return [signal for signal in self.signals if signal.step in steps]


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived(seed=7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("city")
    write(out, seed=3, days=4, grids=12, sensors=8)
    return out


def told(city: City, days: int) -> list[Signal]:
    """The signals of the first days of a city."""
    return list(city.signals(*city.span(days)))


def area_under_curve(scores: Iterable[float], failed: Iterable[bool]) -> float:
    """Chance that a failed one stands above one that did not, ties by half."""
    values, y = np.array(list(scores)), np.array(list(failed), bool)
    _, place, size = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[place]
    return float((ranks[y].sum() - y.sum() * (y.sum() + 1) / 2) / (y.sum() * (~y).sum()))


# the stream


def test_equal_arguments_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, seed=5, days=2, grids=8, sensors=4)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 8
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_another_seed_is_another_city() -> None:
    one, two = (told(City(seed=seed), 1)[:50] for seed in (1, 2))
    assert one != two


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    short = told(City(seed=4, grids=9), 3)
    long = told(City(seed=4, grids=9), 6)
    assert long[: len(short)] == short
    assert len(long) > len(short)


def test_windows_of_any_length_give_the_same_signals_and_the_same_truth() -> None:
    whole, parted = City(seed=4, grids=9), City(seed=4, grids=9)
    begin, until = whole.span(2)
    cuts = [*range(begin, until, 7 * 3_600_000_000 + 1), until]
    pieces = [list(parted.signals(low, high)) for low, high in pairwise(cuts)]
    assert [signal for piece in pieces for signal in piece] == list(whole.signals(begin, until))
    assert parted.truth() == whole.truth()


def test_a_city_cannot_go_back() -> None:
    city = City(seed=4, grids=9)
    begin, until = city.span(1)
    list(city.signals(begin, until))
    with pytest.raises(ValueError, match="cannot go back"):
        city.signals(begin, until)


def test_what_is_asked_for_late_leaves_out_what_came_before() -> None:
    city = City(seed=4, grids=9)
    begin, until = city.span(2)
    late = list(city.signals(until - 3_600_000_000, until))
    assert late == [signal for signal in told(City(seed=4, grids=9), 2) if signal.at >= until - 3_600_000_000]
    assert begin < late[0].at


def test_signals_come_in_the_order_of_time_with_ids_of_their_own(lived: Lived) -> None:
    times = [signal.at for signal in lived.signals]
    assert times == sorted(times)
    assert len({signal.id for signal in lived.signals}) == len(lived.signals)


def test_a_matter_begins_with_its_registration_and_never_before_the_start(lived: Lived) -> None:
    seen: set[str] = set()
    for signal in lived.signals:
        assert (signal.matter in seen) == (signal.step is not Step.REGISTERED)
        seen.add(signal.matter)
    start = datetime(2025, 5, 12, tzinfo=UTC) - timedelta(hours=8)
    assert lived.signals[0].at >= start.timestamp() * 1_000_000
    assert seen == set(lived.matters)


def test_about_150_matters_a_day_are_registered(lived: Lived) -> None:
    assert 125 <= len(lived.matters) / DAYS <= 175


def test_no_grid_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one grid"):
        City(seed=1, grids=0)


@pytest.mark.parametrize("grids", [1, 3, 200])
def test_any_number_of_grids_makes_a_city(grids: int) -> None:
    city = City(seed=1, grids=grids, per_day=40)
    assert len(city.territory.grids) == grids
    assert {signal.place for signal in told(city, 3)} <= {cell.key for cell in city.territory.grids}


# people act


def claims(signals: list[Signal]) -> dict[str, int]:
    """When each matter was first reported done."""
    found: dict[str, int] = {}
    for signal in signals:
        if signal.step is Step.REPORTED_DONE:
            found.setdefault(signal.matter, signal.at)
    return found


def test_matters_that_people_act_on_are_done_sooner_and_no_other_changes() -> None:
    plain, acted = City(seed=4, grids=9), City(seed=4, grids=9)
    begin, middle = plain.span(2)
    until = plain.span(9)[1]
    before = list(acted.signals(begin, middle))
    assert before == list(plain.signals(begin, middle))
    open_ones = sorted({signal.matter for signal in before} - set(claims(before)))
    answered = {matter for matter in open_ones[::2] if acted.react(matter, "confirmed", middle)}
    usual, hastened = list(plain.signals(middle, until)), list(acted.signals(middle, until))
    assert len(answered) > 20
    sooner, later = claims(hastened), claims(usual)
    assert all(sooner[matter] < later[matter] for matter in answered if matter in later)
    assert [one for one in hastened if one.matter not in answered] == [
        one for one in usual if one.matter not in answered
    ]
    assert [one.at for one in hastened] == sorted(one.at for one in hastened)
    assert len({one.id for one in hastened}) == len(hastened)


def test_the_truth_keeps_what_would_have_been() -> None:
    plain, acted = City(seed=4, grids=9), City(seed=4, grids=9)
    begin, until = plain.span(2)
    matters = {signal.matter for signal in acted.signals(begin, until)}
    assert any(acted.react(matter, "assigned", until) for matter in sorted(matters))
    list(plain.signals(begin, until))
    assert acted.truth() == plain.truth()


def test_nothing_moves_once_an_office_is_done_or_where_nothing_is_known() -> None:
    city = City(seed=4, grids=9)
    begin, until = city.span(9)
    done = claims(list(city.signals(begin, until)))
    assert not any(city.react(matter, "confirmed", until) for matter in done)
    assert not city.react("20250512-999999", "confirmed", until)
    assert not city.react("nothing", "confirmed", until)


# the truth


def test_a_breach_is_an_office_claim_after_the_due_time(lived: Lived) -> None:
    due: dict[str, int] = {}
    done: dict[str, int] = {}
    for signal in lived.of(Step.REGISTERED, Step.EXTENDED, Step.REPORTED_DONE):
        if signal.due and signal.matter not in done:
            due[signal.matter] = signal.due
        elif signal.step is Step.REPORTED_DONE:
            done.setdefault(signal.matter, signal.at)
    assert len(done) > 5000
    for matter, at in done.items():
        assert lived.matters[matter]["outcomes"]["breach"] == (at > due[matter]), matter


def test_a_matter_is_bounced_when_two_of_its_returns_were_not_upheld(lived: Lived) -> None:
    refused = Counter(signal.matter for signal in lived.of(Step.NOT_UPHELD))
    closed = {signal.matter for signal in lived.of(Step.CLOSED)}
    assert sum(refused[matter] >= 2 for matter in closed) > 50
    for matter in closed:
        assert lived.matters[matter]["outcomes"]["bounced"] == (refused[matter] >= 2), matter


def test_call_back_tells_whether_the_matter_was_solved(lived: Lived) -> None:
    first: dict[str, bool] = {}
    for signal in lived.of(Step.SOLVED, Step.UNSOLVED):
        first.setdefault(signal.matter, signal.step is Step.UNSOLVED)
    assert {lived.matters[matter]["outcomes"]["unsatisfied"] == unsolved for matter, unsolved in first.items()} == {
        True
    }


def test_only_matters_that_reopen_in_truth_are_reopened(lived: Lived) -> None:
    reopened = {signal.matter for signal in lived.of(Step.REOPENED)}
    assert len(reopened) > 300
    assert all(lived.matters[matter]["outcomes"]["reopened"] for matter in reopened)


def test_a_repeat_is_a_new_matter_of_the_same_category_at_the_same_point(lived: Lived) -> None:
    repeats = [one for one in lived.matters.values() if one["repeats"] in lived.matters]
    assert len(repeats) > 400
    for one in repeats:
        before = lived.matters[one["repeats"]]
        assert before["outcomes"]["repeated"]
        assert [before[key] for key in ("place", "point", "category")] == [
            one[k] for k in ("place", "point", "category")
        ]


def test_unlike_matters_seldom_share_a_point(lived: Lived) -> None:
    spots: dict[Hashable, int] = Counter()
    for one in lived.matters.values():
        if not one["repeats"] and not one["same_as"]:
            spots[one["place"], one["point"], one["category"]] += 1
    assert sum(n - 1 for n in spots.values()) / len(lived.matters) < 0.06


@pytest.mark.parametrize("outcome", ["breach", "bounced", "reopened", "repeated", "unsatisfied"])
def test_the_oracle_is_calibrated(lived: Lived, outcome: str) -> None:
    p = np.array([one["oracle"][outcome] for one in lived.matters.values()])
    y = np.array([one["outcomes"][outcome] for one in lived.matters.values()])
    for part in np.array_split(np.argsort(p), 4):
        spread = np.sqrt((p[part] * (1 - p[part])).sum())
        # Claims that fall on the very due minute shift a few breaches; all else is exact.
        assert abs(y[part].sum() - p[part].sum()) < 4 * spread + 0.002 * len(part)


COLUMNS: dict[str, Callable[[Truth], Hashable]] = {
    "category": lambda one: one["category"],
    "office": lambda one: one["office"],
    "place": lambda one: one["place"],
    "channel": lambda one: one["channel"],
    "hour": lambda one: one["registered_at"][11:13],
    "weekday": lambda one: datetime.fromisoformat(one["registered_at"]).weekday(),
}


@pytest.mark.parametrize("seed", [7, 8])
def test_no_single_column_comes_near_the_oracle_of_a_breach(seed: int, lived: Lived) -> None:
    matters = list((lived if seed == 7 else Lived(seed)).matters.values())
    failed = [one["outcomes"]["breach"] for one in matters]
    oracle = area_under_curve((one["oracle"]["breach"] for one in matters), failed)
    for name, column in COLUMNS.items():
        rates: dict[Hashable, list[bool]] = defaultdict(list)
        for one, y in zip(matters, failed, strict=True):
            rates[column(one)].append(y)
        single = area_under_curve((float(np.mean(rates[column(one)])) for one in matters), failed)
        assert single <= oracle - 0.05, (name, single, oracle)
    assert oracle > 0.75


def test_a_loaded_office_misses_more_deadlines() -> None:
    idle, loaded = (Burden(0.0, 0.0, strain, 0.0, returned=0.1, again=0.2) for strain in (-0.5, 1.0))
    assert chances(loaded).breach > chances(idle).breach + 0.03
    assert breach_after(idle, 2) > breach_after(idle, 0)


def test_vague_replies_bring_matters_back_more_often(lived: Lived) -> None:
    back: dict[bool, list[bool]] = {True: [], False: []}
    for one in lived.matters.values():
        back[one["vague_reply"]].append(one["outcomes"]["reopened"] or one["outcomes"]["repeated"])
    assert np.mean(back[True]) > 1.5 * np.mean(back[False])
    assert 0.15 < len(back[True]) / len(lived.matters) < 0.21


def test_a_planted_surge_brings_matters_to_its_grids(lived: Lived) -> None:
    assert len(lived.surges) >= 4
    planted = Counter(one["surge"] for one in lived.matters.values())
    for surge in lived.surges:
        began = [one for one in lived.matters.values() if one["surge"] == surge["surge"]]
        assert {one["place"] for one in began} <= set(surge["places"])
        assert {one["category"] for one in began} <= {surge["category"]}
    assert sum(planted[surge["surge"]] for surge in lived.surges) > 10 * len(lived.surges)


def test_noise_is_reported_at_night_and_insurance_by_day(lived: Lived) -> None:
    share = {}
    for category in ("M14", "M28"):
        hours = [int(one["registered_at"][11:13]) for one in lived.matters.values() if one["category"] == category]
        share[category] = np.mean([hour >= 20 or hour < 6 for hour in hours])
    assert share["M14"] > 2 * share["M28"]


# words


def test_planted_contact_details_stand_where_the_truth_says(lived: Lived) -> None:
    texts = {signal.matter: signal.text for signal in lived.of(Step.REGISTERED)}
    phones = 0
    for matter, one in lived.matters.items():
        for kind, start, end in one["identifiers"]:
            found = texts[matter][start:end]
            if kind == "phone":
                phones += 1
                assert found.isdigit()
                assert len(found) == 11
                assert found.startswith(UNASSIGNED)
            if kind == "door":
                assert found.endswith("室")
    written = sum(one["channel"] not in ("grid", "sensor") for one in lived.matters.values())
    assert 0.10 < phones / written < 0.14


def test_every_digit_run_as_long_as_a_phone_is_a_planted_one(lived: Lived) -> None:
    for signal in lived.signals:
        if any(character.isdigit() for character in signal.text):
            planted = lived.matters[signal.matter]["identifiers"] if signal.step is Step.REGISTERED else []
            text = signal.text
            for _, start, end in planted:
                text = text[:start] + "*" * (end - start) + text[end:]
            assert max((len(run) for run in "".join(c if c.isdigit() else " " for c in text).split()), default=0) < 5


def test_an_urgent_matter_says_what_the_danger_is(lived: Lived) -> None:
    texts = {signal.matter: signal.text for signal in lived.of(Step.REGISTERED)}
    urgent = [one for one in lived.matters.values() if one["urgent"]]
    assert len(urgent) > 40
    assert all(any(danger in texts[one["matter"]] for danger in dangers_of(one["category"])) for one in urgent)


def dangers_of(category: str) -> list[str]:
    """The sentences of danger, and as they read where the punctuation was left out."""
    sentences: list[str] = vocabulary().phrases["danger"][category]
    return [*sentences, *(sentence.replace("，", "") for sentence in sentences)]


def test_every_category_has_at_least_eight_facts_of_its_own() -> None:
    words = vocabulary()
    assert len(words.categories) == 30
    assert sum(one.weight for one in words.categories) == pytest.approx(100)
    assert all(len(set(words.phrases["facts"][one.key])) >= 8 for one in words.categories)


def test_texts_hold_no_threat_no_petition_destination_and_no_attribute_of_a_person() -> None:
    written = json.dumps(dict(vocabulary().phrases), ensure_ascii=False)
    for word in (
        "上访",
        "进京",
        "省城",
        "越级",
        "信访局",
        "报复",
        "跳楼",
        "自杀",
        "残疾",
        "低保",
        "精神病",
        "少数民族",
    ):
        assert word not in written


# offices and time


def test_committees_of_villagers_and_residents_lead_nothing(lived: Lived) -> None:
    handled = {lived.city.territory.offices[signal.office].kind for signal in lived.signals}
    assert {kind[0] for kind in handled} == {"D", "T"}


def test_working_days_pass_over_the_dragon_boat_holiday() -> None:
    words = vocabulary()
    first = date(2025, 5, 1).toordinal() - date(1970, 1, 1).toordinal()
    time = WorkingTime(first, words.holidays, words.worked_weekends)
    friday = int(midnight(first + 29)) + 10 * 3600
    assert civil(day_of(friday)) == date(2025, 5, 30)
    assert rfc3339(int(time.due(friday, "1wd"))) == "2025-06-04T00:00:00+08:00"
    assert rfc3339(int(time.due(friday, "3d"))) == "2025-06-03T00:00:00+08:00"
    assert rfc3339(int(time.due(friday, "24h"))) == "2025-05-31T10:00:00+08:00"


# the folder


def test_the_mapping_reads_back_every_signal(folder: Path) -> None:
    mapping = Mapping.load(folder / "mapping.yaml")
    read = list(history(mapping, [folder / "signals.jsonl"]))
    signals = told(City(seed=3, grids=12, sensors=8), 4)
    assert [one for one in read if not isinstance(one, Signal)] == []
    names = [(one.id, one.at, one.step, one.due, one.text) for one in read if isinstance(one, Signal)]
    assert sorted(names) == sorted((one.id, one.at, one.step, one.due, one.text) for one in signals)


def test_the_mapping_of_readings_reads_back_every_reading(folder: Path) -> None:
    mapping = Mapping.load(folder / "mapping_readings.yaml")
    read = list(history(mapping, [folder / "readings.jsonl"]))
    assert len(read) == len((folder / "readings.jsonl").read_text().splitlines())
    assert all(isinstance(one, Reading) for one in read)


def test_the_configuration_loads_and_names_a_lead_for_each_category_in_each_county(folder: Path) -> None:
    settings = load_settings(folder / "config.yaml")
    assert len(settings.categories) == 31
    assert {cell.place for cell in settings.matrix} == {"c1", "c2"}
    assert len(settings.matrix) == 62


def test_every_file_says_that_it_is_synthetic(folder: Path) -> None:
    for path in folder.glob("*.jsonl"):
        assert all(json.loads(line)["synthetic"] is True for line in path.read_text("utf-8").splitlines()), path
    for path in (*folder.glob("*.yaml"), folder / "README.txt"):
        assert "合成数据" in path.read_text("utf-8").splitlines()[0]


def test_a_line_of_the_file_names_only_columns_of_the_contract(folder: Path) -> None:
    allowed = set(yaml.safe_load((folder / "mapping.yaml").read_text("utf-8"))["contract"]["allowed_fields"])
    for signal in told(City(seed=3, grids=12), 4):
        assert set(json.loads(signal_line(signal))) <= allowed


def test_progress_is_told_by_day_and_ends_with_all(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write(tmp_path, seed=2, days=3, grids=8, sensors=2, progress=lambda done, days: told.append((done, days)))
    assert told == [(1, 3), (2, 3), (3, 3)]


# sensors


@pytest.fixture(scope="module")
def measured() -> tuple[Sensors, list[Reading]]:
    """Ten days of 240 sensors at a slow pace."""
    sensors = City(seed=7, sensors=240, coarsest_s=900).sensors
    return sensors, list(sensors.rows(*City(seed=7).span(10)))


def test_there_are_eight_kinds_of_sensors(measured: tuple[Sensors, list[Reading]]) -> None:
    assert {name[:3] for name in measured[0].names} == {f"S0{number}" for number in range(1, 9)}
    assert {reading.sensor[:3] for reading in measured[1]} == {f"S0{number}" for number in range(1, 9)}


def test_windows_of_any_length_give_the_same_readings() -> None:
    begin, until = City(seed=7).span(1)
    whole = list(City(seed=7, sensors=64).sensors.rows(begin, until))
    parted = City(seed=7, sensors=64).sensors
    cuts = [*range(begin, until, 17 * 60_000_000), until]
    assert [reading for low, high in pairwise(cuts) for reading in parted.rows(low, high)] == whole
    assert len(whole) > 30_000


def test_readings_arrive_in_order_and_some_come_late() -> None:
    begin, until = City(seed=7).span(3)
    blocks = list(City(seed=7, sensors=2000, coarsest_s=600).sensors.readings(begin, until))
    sent = np.concatenate([block.sent for block in blocks])
    at = np.concatenate([block.at for block in blocks])
    assert (np.diff(sent) >= 0).all()
    assert 0.0001 < (sent - at > 600_000_000).mean() < 0.02


def test_silent_sensors_say_nothing_while_their_fault_lasts(measured: tuple[Sensors, list[Reading]]) -> None:
    times: dict[str, list[str]] = defaultdict(list)
    for reading in measured[1]:
        times[reading.sensor].append(rfc3339(reading.at // 1_000_000))
    sensors = City(seed=7, sensors=240, coarsest_s=900).sensors
    gone = [one for one in sensors.truth(City(seed=7).span(10)[1]) if one["what"].startswith(("offline", "silent"))]
    assert len(gone) > 3
    for one in gone:
        assert not [at for at in times[one["sensor"]] if one["begin"] <= at < one["end"]], one


def test_a_hazard_passes_the_limit_of_its_device_and_stays_beyond_it() -> None:
    city = City(seed=7, sensors=400)
    begin, until = city.span(4)
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for reading in city.sensors.rows(begin, until):
        values[reading.sensor][rfc3339(reading.at // 1_000_000)] = reading.value
    limits = {device.prefix: device for device in DEVICES}
    told = city.sensors.truth(until)
    faulty = {one["sensor"] for one in told if one["what"] not in ("hazard", "slow_drift")}
    hazards = [one for one in told if one["what"] == "hazard" and one["sensor"] not in faulty]
    assert len(hazards) > 4
    for one in hazards:
        device = limits[one["sensor"].rsplit("-", 2)[0]]
        beyond = [v for at, v in values[one["sensor"]].items() if one["passes_at"] < at < one["end"]]
        passed = [v > device.alarm if device.rises else v < device.alarm for v in beyond]
        assert np.mean(passed) > 0.75, one


def test_gas_is_smelt_after_the_alarm_and_water_is_reported_before_it() -> None:
    city = City(seed=7, sensors=2000)
    list(city.signals(*city.span(20)))
    truth = city.truth()
    alarms = {
        f"hazard-{one['sensor']}-{int(datetime.fromisoformat(one['passes_at']).timestamp())}": one["passes_at"]
        for one in truth
        if one["kind"] == "sensor" and one["what"] == "hazard"
    }
    after: dict[str, list[bool]] = defaultdict(list)
    for one in truth:
        if one["kind"] == "matter" and one["surge"] in alarms and not one["same_as"]:
            after[one["category"]].append(one["registered_at"] > alarms[one["surge"]])
    assert all(after["M09"])
    assert not any(after["M11"])
    assert min(len(after["M09"]), len(after["M11"])) > 5


def test_a_reading_beyond_the_range_of_its_device_is_a_wrong_unit() -> None:
    for device in DEVICES:
        low, high = device.possible
        assert low <= device.level <= high
        assert low <= device.alarm <= high


# the map


def test_places_tile_their_parents() -> None:
    territory = City(seed=7).territory
    rings = outlines(territory, 7)
    for parent in ("city", "c1", "c2", "c1t3"):
        own = [key for key, place in territory.places.items() if place.parent == parent]
        assert sum(area(rings[key]) for key in own) == pytest.approx(area(rings[parent]), abs=0.01)
        assert {tuple(corner) for corner in rings[parent]} <= {tuple(corner) for key in own for corner in rings[key]}
    assert all(area(ring) > 0 for ring in rings.values())
    assert set(rings) == set(territory.places)


@pytest.mark.parametrize("grids", [1, 5, 100])
def test_any_number_of_grids_has_outlines(grids: int) -> None:
    territory = City(seed=7, grids=grids).territory
    rings = outlines(territory, 7)
    assert sum(area(rings[cell.key]) for cell in territory.grids) == pytest.approx(area(rings["city"]), abs=0.01)


def area(ring: list[list[float]]) -> float:
    """Area of a closed ring, positive when it runs counter-clockwise."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring)) / 2


def test_there_are_two_counties_twelve_townships_and_240_grids_with_more_than_forty_offices() -> None:
    territory = City().territory
    kinds = Counter(place.kind for place in territory.places.values())
    assert kinds == {"city": 1, "county": 2, "township": 12, "grid": 240}
    assert len(territory.offices) > 40
