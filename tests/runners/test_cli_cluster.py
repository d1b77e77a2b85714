"""The commands of a cluster: who may use them, and that embedded needs none of their libraries."""

import subprocess
import sys
from pathlib import Path

import pytest

from runners.cli import main

LIBRARIES = {"kafka", "faust", "aiokafka", "psycopg", "mode"}


def ask(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Exit code of `forewarn` with these words."""
    monkeypatch.setattr(sys, "argv", ["forewarn", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


@pytest.mark.parametrize(
    "words",
    [("kafka", "init", "--config"), ("worker", "--config"), ("serve", "--config"), ("migrate", "--from", ".", "--to")],
)
def test_a_command_of_a_cluster_refuses_the_configuration_of_an_embedded_site(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "site.yaml"
    config.write_text("runner: embedded\n")
    assert ask(monkeypatch, *words, config) == 1
    assert "this command is for a site with `runner: kafka`" in capsys.readouterr().err


WITHOUT = """
import sys
from importlib.machinery import ModuleSpec

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "kafka":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from runners.cli import main
main()
"""


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    config.write_text("runner: kafka\n")
    command = [sys.executable, "-c", WITHOUT, "kafka", "init", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == "forewarn: kafka is not installed: pip install 'forewarn[cluster]'"


@pytest.mark.parametrize(
    "what",
    [
        "from runners.cli import app; app(['--help'], standalone_mode=False)",
        "import runners.live.run",
        "import runners.demo.demo",
        "import runners.trainer",
        "import runners.replay, runners.backtest, runners.run_files, runners.live.delivery, console.api.app",
    ],
)
def test_embedded_imports_nothing_of_a_cluster(what: str) -> None:
    code = f"import sys; {what}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "runners" in loaded
    assert loaded & LIBRARIES == set()
