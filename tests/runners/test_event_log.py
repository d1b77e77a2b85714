"""What a process writes when something breaks off holds no values."""

import subprocess
import sys

BREAKS = """
import structlog
from runners.event_log import write_events_plainly

write_events_plainly()

def sign_in(password):
    raise ValueError("no")

try:
    sign_in("correct horse battery")
except ValueError:
    structlog.get_logger("forewarn").exception("broke off", part="door")
"""


def test_a_trace_names_lines_and_not_the_values_that_stood_there() -> None:
    done = subprocess.run([sys.executable, "-c", BREAKS], capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    assert "broke off" in said
    assert "ValueError: no" in said
    assert "horse" not in said.replace('sign_in("correct horse battery")', "")
