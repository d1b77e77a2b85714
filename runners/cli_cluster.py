"""`forewarn kafka init`, `worker`, `serve` and `migrate`: a site on Kafka and PostgreSQL.

What they call is imported when they are called: embedded, the command line needs none of the cluster's libraries.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from runners.cluster.settings import settings_of_cluster, with_libraries

kafka_app = typer.Typer(no_args_is_help=True, help="The topics of a site on Kafka.")

Config = Annotated[Path, typer.Option("--config", help="Configuration with `runner: kafka`.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def add_cluster(app: typer.Typer) -> None:
    """Register these commands."""
    app.add_typer(kafka_app, name="kafka")
    app.command()(worker)
    app.command()(serve)
    app.command()(migrate)


@kafka_app.command("init")
def kafka_init(config: Config, json_: Json = False) -> None:
    """Makes the topics that the configuration asks for; run again, it changes nothing.

    What differs from the configuration is set anew, but never a partition count.

    Example: forewarn kafka init --config site.yaml
    """
    settings = settings_of_cluster(config)
    with with_libraries():
        from runners.cluster.kafka_topics import init

        topics = init(settings.kafka, settings.partition_count, config.parent)
    rows = [
        {"topic": topic.name, "state": topic.state, "partitions": topic.partitions, "replication": topic.replication,
         "min_insync": int(topic.settings["min.insync.replicas"]), "retention_days": topic.retention_days}
        for topic in topics
    ]  # fmt: skip
    if json_:
        typer.echo(json.dumps(rows, indent=2))
        return
    width = max(len(topic.name) for topic in topics)
    for row in rows:
        typer.echo(
            f"{row['topic']:{width}}  {row['state']:7}  {row['partitions']} partitions, {row['replication']} replicas,"
            f" {row['min_insync']} in sync, {row['retention_days']:g} days"
        )


def worker(
    config: Config,
    name: Annotated[
        str,
        typer.Option(
            help="Its own name, that no other worker has: a quick restart finds its partitions unmoved. Without one"
            " they go to the others as soon as it stops."
        ),
    ] = "",
    metrics_port: Annotated[
        int | None, typer.Option(help="Port of /metrics; the configuration's unless given, 0: none.")
    ] = None,
    fold_only: Annotated[
        bool, typer.Option("--fold-only", help="Hand nothing on to other logs: for a copy that is being compared.")
    ] = False,
) -> None:
    """One worker: folds the partitions that Kafka assigns to it, until stopped. Start as many as there is work for.

    Example: forewarn worker --config site.yaml --name worker-1
    """
    settings_of_cluster(config)
    with with_libraries():
        from runners.worker.run import run

        is_well = run(config, name=name, metrics_port=metrics_port, fold_only=fold_only, tell=_tell)
    if not is_well:
        raise typer.Exit(1)


def serve(
    config: Config,
    host: Annotated[str, typer.Option(help="Address to serve on; beyond loopback only with TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of console, API and intake.")] = 8080,
    metrics_port: Annotated[int, typer.Option(help="Port of /metrics on the loopback address; 0: none.")] = 9464,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Key of the certificate (PEM).")] = None,
    trusted_proxy: Annotated[
        str | None, typer.Option("--trusted-proxy", help="Address of a proxy that ends TLS before us.")
    ] = None,
) -> None:
    """Console, API, intake and delivery for a site on Kafka, until stopped. Several may run behind a load balancer.

    Example: forewarn serve --config site.yaml --port 8080
    """
    from runners.live.server import Address

    settings_of_cluster(config)
    with with_libraries():
        from runners.serve.run import run

        is_well = run(
            config, Address(host, port, tls_cert, tls_key, trusted_proxy), metrics_port=metrics_port, tell=_tell
        )
    if not is_well:
        raise typer.Exit(1)


def migrate(
    source: Annotated[Path, typer.Option("--from", help="Data directory of an embedded site that is stopped.")],
    config: Annotated[Path, typer.Option("--to", help="Configuration with `runner: kafka`.")],
    json_: Json = False,
) -> None:
    """Moves an embedded site's logs, snapshots and store to Kafka and PostgreSQL; offsets and digests stay as they are.

    Exit code 1 when a replay there gives other digests. A run that breaks off goes on when it is run again.

    Example: forewarn migrate --from /var/lib/forewarn --to cluster.yaml
    """
    settings_of_cluster(config)
    with with_libraries():
        from runners.cluster.moved import lines
        from runners.cluster.moving import move
        from runners.cluster.moving_bars import bars

        with bars() as tell:
            moved = move(source, config, tell)
    if json_:
        typer.echo(json.dumps(moved.as_json(), indent=2))
    else:
        typer.echo("\n".join(lines(moved)))
    if not moved.is_equal:
        raise typer.Exit(1)


def _tell(words: str) -> None:
    typer.echo(words, err=True)
