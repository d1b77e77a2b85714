"""Settings have sensible defaults, cannot be changed, and are filled up by a mapping where they are silent."""

import pytest
from pydantic import ValidationError

from config.learning import Target
from config.mapped import settings_with, target_of
from config.settings import Settings
from config.territory import Site
from connectors.mapping_model import MappingModel, Outcome
from pipeline.errors import ConfigError

MAPPING = MappingModel.model_validate(
    {
        "source": "hotline",
        "shape": "steps",
        "contract": {"purpose": "service", "legal_basis": "city rules", "allowed_fields": ["a"], "retention_days": 30},
        "codes": {"district": "a"},
        "values": {"floors": "a"},
        "outcomes": ({"name": "late", "rule": "breach"}, {"name": "again", "rule": "repeated", "window_days": 14.0}),
    }
)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().site.name = "other"  # type: ignore[misc]


def test_settings_convert_nothing_silently() -> None:
    with pytest.raises(ValidationError, match="valid integer"):
        Settings.model_validate_json('{"rescore_hour": "6"}')


def test_default_levels_ascend_and_clear_below_where_they_are_raised() -> None:
    levels = [level for _, level in Settings().levels.ascending()]
    assert [level.raise_at for level in levels] == [0.30, 0.45, 0.60, 0.80]
    assert all(level.clear_at < level.raise_at for level in levels)


def test_default_budgets_shrink_with_the_level() -> None:
    assert [level.budget_per_office_day for _, level in Settings().levels.ascending()] == [8, 4, 2, 1]


def test_without_configuration_no_legal_clock_is_invented() -> None:
    assert Settings().default_clocks == ()


def test_a_label_is_held_for_its_window_unless_told_otherwise() -> None:
    assert (Target(name="a", window_days=14.0).held_days(), Target(name="a", hold_days=2.0).held_days()) == (14.0, 2.0)


def test_a_mapping_fills_silent_settings_up() -> None:
    filled = settings_with(Settings(), MAPPING, path="hotline.yaml", files=["a.csv"])
    assert [target.name for target in filled.targets] == ["late", "again"]
    assert (filled.attributes.codes, filled.attributes.values) == (("district",), ("floors",))
    assert (filled.sources[0].name, filled.sources[0].files) == ("hotline", ("a.csv",))


def test_what_the_configuration_names_wins_over_the_mapping() -> None:
    own = Target(name="again", rule="repeated", window_days=7.0)
    filled = settings_with(Settings(targets=(own,)), MAPPING, path="hotline.yaml")
    assert [(target.name, target.window_days) for target in filled.targets] == [("again", 7.0), ("late", 30.0)]


def test_filling_up_leaves_the_rest_alone() -> None:
    site = Site(name="linxi")
    assert settings_with(Settings(site=site), MAPPING, path="hotline.yaml").site == site


def test_filling_up_twice_changes_nothing_more() -> None:
    once = settings_with(Settings(), MAPPING, path="hotline.yaml")
    assert settings_with(once, MAPPING, path="hotline.yaml") == once


def test_more_targets_than_a_signal_carries_are_refused() -> None:
    with pytest.raises(ConfigError, match="targets: 9 declared by configuration and mapping together, at most 8"):
        Settings().with_mapping(targets=[Target(name=f"t{number}") for number in range(9)])


def test_an_outcome_of_a_mapping_becomes_a_target_with_its_count() -> None:
    target = target_of(Outcome(name="handed", rule="handed_over", count=2, hold_days=7.0))
    assert (target.rule, target.at_least, target.hold_days) == ("handed_over", 2, 7.0)


def test_what_share_fails_is_told_by_the_rule_unless_the_outcome_says_so() -> None:
    rare, usual = Outcome(name="a", rule="breach", prior=0.02), Outcome(name="b", rule="breach")
    assert (target_of(rare).prior, target_of(usual).prior) == (0.02, 0.15)


def test_pairs_of_a_mapping_hold_where_the_configuration_names_none() -> None:
    mapping = MAPPING.model_copy(update={"pairs": (("category", "district"),)})
    assert settings_with(Settings(), mapping, path="hotline.yaml").attributes.pairs == (("category", "district"),)
