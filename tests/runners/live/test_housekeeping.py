"""What a live site throws away after its time."""

from config.learning import Retention, Target
from config.settings import Settings
from pipeline.calendar import DAY_US
from runners.live.housekeeping import LEARNED_US, TOLD_US, before
from tests.runners.live.town import BEGIN


def test_warnings_and_rejected_entries_go_after_the_days_of_the_configuration() -> None:
    settings = Settings(retention=Retention(warnings_days=400, dead_letters_days=7))
    found = before(settings, BEGIN)
    assert (BEGIN - found.warnings) // DAY_US == 400
    assert (BEGIN - found.rejected) // DAY_US == 7
    assert BEGIN - found.told == TOLD_US


def test_lessons_stay_until_the_longest_outcome_was_long_known() -> None:
    settings = Settings(targets=(Target(name="late", window_days=90.0, hold_days=10.0),))
    assert BEGIN - before(settings, BEGIN).lessons == LEARNED_US + 100 * DAY_US
