"""`forewarn digest --config FILE`: the digests of a cluster, compared with a replay of its logs."""

import json
from pathlib import Path

import typer

from runners.cluster.settings import settings_of_cluster, with_libraries


def digest_cluster(config: Path, json_: bool) -> None:
    """Print the store's digests beside those of a replay of the logs; exit status 1 where they differ."""
    settings_of_cluster(config)
    with with_libraries():
        from runners.cluster.digest import compare

        found = compare(config)
    if json_:
        told = {"equal": found.is_equal, "offsets": found.offsets, "stored": found.stored, "replay": found.replayed}
        typer.echo(json.dumps(told | {"fingerprint": found.fingerprint}, indent=2))
    else:
        for log, stored in found.stored.items():
            for name, value in stored.items():
                replayed = found.replayed[log].get(name, "pruned")
                verdict = "equal" if replayed == value else f"DIFFERS: {replayed}" if found.replayed[log] else replayed
                typer.echo(f"{log}\t@{found.offsets[log]}\t{name}\t{value}\t{verdict}")
        typer.echo("fingerprint\t" + json.dumps(found.fingerprint, sort_keys=True))
    if not found.is_equal:
        raise typer.Exit(1)
