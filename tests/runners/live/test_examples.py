"""The examples of the integrator's guide do what the guide says."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.signal import Step
from tests.runners.live.served import Served
from tests.runners.live.town import moment

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "intake"
GUIDE = (ROOT / "docs" / "guide" / "integrator.md").read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path: Path) -> Served:
    """The example site, on a data directory of the test's own."""
    shutil.copytree(EXAMPLES, tmp_path / "intake")
    return Served(tmp_path / "intake" / "site.yaml", tmp_path / "data")


def test_the_guide_names_every_step() -> None:
    assert [step.name for step in Step if f"`{step.name.lower()}`" not in GUIDE] == []


def test_the_scripts_send_and_the_folder_is_read(example: Served, tmp_path: Path) -> None:
    (tmp_path / "intake" / "drops").mkdir()
    stamp = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() - 86_400))
    rows = f"nr,case,when,what,kind,where,words\n1,a,{stamp},新,灯,东,路灯不亮\n2,a,{stamp},结,灯,东,\n"
    (tmp_path / "intake" / "drops" / "monday.csv").write_text(rows, encoding="utf-8")
    example.start()
    env = {**os.environ, "KEY": example.key}
    url = f"http://127.0.0.1:{example.port}"
    if shutil.which("curl"):
        said = subprocess.run(["sh", EXAMPLES / "send.sh", url], env=env, capture_output=True, text=True, check=True)
        first, batch, again = (json.loads(line) for line in said.stdout.splitlines())
        assert (first["accepted"], batch["accepted"], again["duplicate_batch"]) == (1, 1, True)
        assert [(one["index"], one["reason"], one["field"]) for one in batch["rejected"]] == [(1, "bad_time", "at")]
    fields = {"at": moment(int(time.time()) * 1_000_000), "step": "registered"}
    lines = [json.dumps({"id": f"p{n}", "matter": f"p{n}", **fields}) for n in range(700)]
    said = subprocess.run(
        [sys.executable, EXAMPLES / "send.py", url], input="\n".join(lines), env=env, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert [json.loads(line)["accepted"] for line in said.stdout.splitlines()] == [500, 200]
    done = tmp_path / "intake" / "drops" / "done" / "monday.csv"
    limit = time.monotonic() + 30
    while not done.is_file() and time.monotonic() < limit:
        time.sleep(0.05)
    assert done.is_file()
    assert example.end() == 0
