"""A configuration is taken whole or refused whole, and a refusal names every problem where it stands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from config.load import WHERE, canonical, from_canonical, from_genesis, genesis, load_settings, settings_schema
from config.problems import Keys, resolved, schema_at
from config.settings import Settings
from connectors.yaml_lines import load_yaml, read_yaml
from pipeline.errors import ConfigError

COMPLETE = Path(__file__).with_name("complete.yaml")
CONTENT, _ = load_yaml(COMPLETE)
PROBLEM = re.compile(r"^(?P<path>.+):(?P<line>\d+): (?P<key>\S+): (?P<what>[^;]+); (?P<hint>.+)$")


def nodes(data: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield (*keys, key), value
        yield from nodes(value, (*keys, key))


NAMED = [keys for keys, _ in nodes(CONTENT) if isinstance(keys[-1], str)]
EVERY = [keys for keys, _ in nodes(CONTENT)]


def dotted(keys: Keys) -> str:
    return ".".join(str(key) for key in keys)


def load(folder: Path, data: Any) -> Settings:
    (folder / "hotline.yaml").write_text("# a mapping")
    path = folder / "site.yaml"
    text = data if isinstance(data, str) else yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    path.write_text(text)
    return load_settings(path)


def refusals(folder: Path, data: Any) -> list[re.Match[str]]:
    with pytest.raises(ConfigError) as caught:
        load(folder, data)
    found = [PROBLEM.match(line) for line in caught.value.problems]
    assert all(found), f"without file, line, key or suggestion: {caught.value.problems}"
    return [match for match in found if match]


def changed(keys: Keys, *, name: str | None = None, value: Any = None) -> tuple[Any, int]:
    """The complete configuration with one key renamed or one value replaced, and the line on which that stands."""
    data = orjson.loads(orjson.dumps(CONTENT))
    node = data
    for key in keys[:-1]:
        node = node[key]
    if name is None:
        node[keys[-1]] = value
    else:
        items = [(name if key == keys[-1] else key, item) for key, item in node.items()]
        node.clear()
        node.update(items)
    _, locate = read_yaml(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), COMPLETE)
    return data, locate((*keys[:-1], name or keys[-1]))


def wrong(value: Any) -> Any:
    return "many" if isinstance(value, int | float) else 7


def value_at(keys: Keys) -> Any:
    node = CONTENT
    for key in keys:
        node = node[key]
    return node


def test_the_complete_configuration_is_taken(tmp_path: Path) -> None:
    assert load(tmp_path, CONTENT).offices[0].id == "D05"


def test_the_complete_configuration_names_every_key_of_the_schema() -> None:
    named = {keys[-1] for keys in NAMED}
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    assert {key for part in parts for key in part.get("properties", {})} - named == {"include"}


@pytest.mark.parametrize("keys", NAMED, ids=dotted)
def test_a_misspelt_key_is_refused_with_its_line_and_the_right_spelling(tmp_path: Path, keys: Keys) -> None:
    name = f"{keys[-1]}x"
    data, line = changed(keys, name=name)
    found = {match["key"]: match for match in refusals(tmp_path, data)}
    match = found[dotted((*keys[:-1], name))]
    assert (int(match["line"]), match["hint"]) == (line, f"did you mean {keys[-1]!r}?")


@pytest.mark.parametrize("keys", EVERY, ids=dotted)
def test_a_value_of_the_wrong_kind_is_refused_with_its_line_and_what_may_stand_there(
    tmp_path: Path, keys: Keys
) -> None:
    data, line = changed(keys, value=wrong(value_at(keys)))
    match = next(match for match in refusals(tmp_path, data) if match["key"] == dotted(keys))
    assert int(match["line"]) == line
    assert match["hint"].startswith(("write ", "did you mean"))


SCHEMA = settings_schema()
LIMITS = {"minimum", "exclusiveMinimum"}
BOUNDED = [keys for keys in EVERY if LIMITS & resolved(schema_at(SCHEMA, keys), SCHEMA).keys()]


@pytest.mark.parametrize("beyond", [-1.0, 1e10], ids=["below", "above"])
@pytest.mark.parametrize("keys", BOUNDED, ids=dotted)
def test_a_number_out_of_range_is_refused_with_the_range(tmp_path: Path, keys: Keys, beyond: float) -> None:
    whole = isinstance(value_at(keys), int)
    data, line = changed(keys, value=int(beyond) if whole else beyond)
    match = next(match for match in refusals(tmp_path, data) if match["key"] == dotted(keys))
    assert (int(match["line"]), "number" in match["hint"]) == (line, True)


REFERENCES = (
    ("partitions", 0),
    ("places", 1, "parent"),
    ("offices", 0, "place"),
    ("categories", 0, "clocks", 0),
    ("categories", 0, "default_office"),
    ("matrix", 0, "place"),
    ("matrix", 0, "category"),
    ("matrix", 0, "office"),
    ("default_clocks", 0),
    ("sources", 0, "default_place"),
    ("sources", 0, "mapping"),
    ("attributes", "pairs", 0, 1),
    ("site", "zone"),
)


@pytest.mark.parametrize("keys", REFERENCES, ids=dotted)
def test_a_name_that_is_defined_nowhere_is_refused_where_it_is_used(tmp_path: Path, keys: Keys) -> None:
    data, line = changed(keys, value="zzz")
    match = next(match for match in refusals(tmp_path, data) if match["key"] == dotted(keys))
    assert (int(match["line"]), "'zzz'" in match["what"]) == (line, True)


LISTS = ("places", "offices", "categories", "matrix", "clocks", "targets", "duty", "sensors", "sources", "partitions")


@pytest.mark.parametrize("part", LISTS)
def test_an_item_given_twice_is_refused_at_its_second_place(tmp_path: Path, part: str) -> None:
    data = orjson.loads(orjson.dumps(CONTENT))
    data[part].append(data[part][0])
    found = refusals(tmp_path, yaml.dump(data, Dumper=Plain, allow_unicode=True, sort_keys=False))
    assert any(match["key"].startswith(f"{part}.{len(data[part]) - 1}") for match in found)


class Plain(yaml.SafeDumper):
    """Writes an item that occurs twice out twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def test_all_problems_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    found = refusals(tmp_path, "rescore_hour: 26\nsite: {zone: Mars}\noffices:\n- {id: a, place: b}\n- {kind: party}\n")
    assert [match["line"] for match in found] == ["1", "2", "4", "5"]


def test_an_office_that_is_wrong_in_itself_still_counts_as_defined(tmp_path: Path) -> None:
    text = "offices:\n- {id: a, kind: goverment}\ncategories:\n- {id: c, default_office: a}\n"
    assert [match["key"] for match in refusals(tmp_path, text)] == ["offices.0.kind"]


def test_a_problem_behind_a_wrong_item_keeps_its_own_line(tmp_path: Path) -> None:
    text = "offices:\n- {kind: party}\n- {id: a, place: nowhere}\n"
    assert [(match["line"], match["key"]) for match in refusals(tmp_path, text)] == [
        ("2", "offices.0.id"),
        ("3", "offices.1.place"),
    ]


def test_a_villagers_committee_cannot_lead(tmp_path: Path) -> None:
    data, _ = changed(("matrix", 0, "office"), value="V01")
    assert "self-governing body and cannot lead" in refusals(tmp_path, data)[0]["what"]


def test_a_villagers_committee_may_help(tmp_path: Path) -> None:
    assert load(tmp_path, CONTENT).matrix[1].office == "V01"


def test_a_cell_without_an_owner_is_an_error(tmp_path: Path) -> None:
    data, _ = changed(("matrix", 0, "office"), value=None)
    assert refusals(tmp_path, data)[0]["what"] == "the cell east x M05 has no owner"


def test_a_category_nobody_leads_somewhere_is_an_error(tmp_path: Path) -> None:
    data, _ = changed(("categories", 0, "default_office"), value=None)
    data["places"].append({"id": "west"})
    assert refusals(tmp_path, data)[0]["what"] == "no office leads M05 in west"


def test_a_category_led_in_every_county_needs_no_office_at_the_root(tmp_path: Path) -> None:
    data, _ = changed(("categories", 0, "default_office"), value=None)
    assert load(tmp_path, data).categories[0].default_office is None


def test_a_place_within_itself_is_refused(tmp_path: Path) -> None:
    data, _ = changed(("places", 0, "parent"), value="shibu")
    assert "places.0.parent" in {match["key"] for match in refusals(tmp_path, data) if "within itself" in match["what"]}


def test_a_place_may_be_defined_again_for_another_time(tmp_path: Path) -> None:
    data = orjson.loads(orjson.dumps(CONTENT))
    data["places"].append({"id": "east", "name_zh": "新东城区", "valid_from": "2030-01-01"})
    assert [place.id for place in load(tmp_path, data).places].count("east") == 2


def test_a_level_cannot_clear_above_where_it_is_raised(tmp_path: Path) -> None:
    data, _ = changed(("levels", "red", "clear_at"), value=0.7)
    assert refusals(tmp_path, data)[0]["hint"] == "write at most 0.6"


def test_levels_ascend(tmp_path: Path) -> None:
    data, _ = changed(("levels", "orange", "raise_at"), value=0.4)
    assert refusals(tmp_path, data)[0]["hint"] == "write more than 0.4"


def test_without_a_file_the_settings_are_those_of_the_product() -> None:
    assert load_settings(None) == Settings()


def test_settings_go_into_the_log_and_come_back_equal(tmp_path: Path) -> None:
    settings = load(tmp_path, CONTENT)
    came_back = from_canonical(orjson.loads(orjson.dumps(canonical(settings))))
    where = {name: getattr(settings, name) for name in WHERE}
    assert came_back.model_copy(update=where) == settings


def test_where_a_site_runs_does_not_go_into_its_log(tmp_path: Path) -> None:
    assert WHERE & set(canonical(load(tmp_path, CONTENT))) == set()


def test_the_log_holds_the_calendar_too(tmp_path: Path) -> None:
    entry = orjson.loads(orjson.dumps(genesis(load(tmp_path, CONTENT))))
    settings, calendar = from_genesis(entry)
    assert (settings.site.name, calendar.to_state()) == ("linxi", entry["calendar"])


def test_a_log_of_another_version_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="targts: is not a key here; did you mean 'targets'"):
        from_canonical({"targts": []})


def test_the_schema_can_be_published() -> None:
    schema = orjson.loads(orjson.dumps(SCHEMA))
    assert (schema["properties"]["include"]["type"], schema["additionalProperties"]) == ("array", False)


def test_records_of_a_source_come_one_way(tmp_path: Path) -> None:
    data = orjson.loads(orjson.dumps(CONTENT))
    data["sources"][1]["folder"] = "drops"
    (match,) = refusals(tmp_path, data)
    assert (match["key"], match["hint"]) == ("sources.1.kafka", "take out kafka or folder")
