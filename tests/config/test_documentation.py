"""What docs/configuration.md says is what the code does."""

import re
from pathlib import Path

import pytest

from config.load import load_settings
from config.settings import Settings
from config.value import LEVELS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "configuration.md").read_text()
EXAMPLE = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_of_ten_lines_loads(tmp_path: Path) -> None:
    assert EXAMPLE
    (tmp_path / "site.yaml").write_text(EXAMPLE[1])
    settings = load_settings(tmp_path / "site.yaml")
    assert (settings.offices[0].id, len(settings.default_clocks)) == ("D05", 6)


def test_every_key_has_its_row() -> None:
    rows = " ".join(re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE))
    assert set(Settings.model_fields) <= set(re.findall(r"`(\w+)`", rows))


@pytest.mark.parametrize("name", LEVELS)
def test_the_table_of_levels_holds_the_defaults(name: str) -> None:
    row = re.search(rf"^\| `{name}` \|(.*)\|$", TEXT, re.MULTILINE)
    level = getattr(Settings().levels, name)
    assert row
    assert [float(cell) for cell in row[1].split("|")] == [
        level.raise_at,
        level.clear_at,
        level.raise_recurrence_days,
        level.clear_recurrence_days,
        level.hold_hours,
        level.budget_per_office_day,
    ]


def test_the_number_of_duty_rules_is_the_one_told() -> None:
    assert f"| {len(Settings().duty)} rules |" in TEXT


def test_the_example_of_new_holidays_is_a_calendar(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", (DOCS / "clocks.md").read_text(), re.DOTALL)
    assert example
    (tmp_path / "site.yaml").write_text(example[1])
    assert len(load_settings(tmp_path / "site.yaml").calendar.days) == 2
