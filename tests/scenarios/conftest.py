"""What the scenarios share: a small simulated city as files, with a configuration that reads it."""

from pathlib import Path

import pytest
import yaml

from connectors.simulator import write

SITE = """
sources:
- name: simulator
  mapping: mapping.yaml
  files: [signals.jsonl]
learning:
  min_labels: 50
"""


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a week of an invented city: signals.jsonl, mapping.yaml, site.yaml. To be read only."""
    out = tmp_path_factory.mktemp("city")
    write(out, seed=7, days=8, grids=3, sensors=1)
    mapping = yaml.safe_load((out / "mapping.yaml").read_text(encoding="utf-8"))
    # A week is too short for the usual windows; a day is enough for the trainer to publish every night.
    mapping["outcomes"] = [
        {"name": "breach", "rule": "breach", "hold_days": 1},
        {"name": "bounced", "rule": "bounced", "hold_days": 1},
    ]
    (out / "mapping.yaml").write_text(yaml.safe_dump(mapping, allow_unicode=True), encoding="utf-8")
    (out / "site.yaml").write_text(SITE, encoding="utf-8")
    return out
