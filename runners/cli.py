"""The command line. Exit codes: 0 done, 1 failed (or something differs), 2 wrong use."""

import contextlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.errors import ForewarnError
from runners.cli_cluster import add_cluster
from runners.cli_people import account_app, key_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Early warning of matters an office is about to fail. 内部关注级，非法定预警。\n\n"
    "Exit codes: 0 done, 1 failed or different, 2 wrong use.",
)
mapping_app = typer.Typer(no_args_is_help=True, help="How the rows of a file become signals, readings or counts.")
config_app = typer.Typer(no_args_is_help=True, help="The configuration of a site.")
app.add_typer(mapping_app, name="mapping")
app.add_typer(config_app, name="config")
app.add_typer(account_app, name="account")
app.add_typer(key_app, name="key")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

Data = Annotated[Path, typer.Option("--data", help="Data directory of a run or back-test.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration; sensible defaults without one.")]


def main() -> None:
    """Entry point of the command `forewarn`."""
    try:
        # Outside its standalone mode the application hands an exit code back instead of raising it.
        sys.exit(app(standalone_mode=False) or 0)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.Abort:
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)
    except (ForewarnError, FileNotFoundError) as error:
        err.print(f"forewarn: {escape(str(error))}", style="red" if err.is_terminal else None)
        sys.exit(1)
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        error.show()  # type: ignore[attr-defined]
        sys.exit(code)


# running --------------------------------------------------------------------------------------------------------------


@app.command()
def backtest(
    mapping: Annotated[Path | None, typer.Option(help="How rows become signals (YAML).")] = None,
    input: Annotated[list[Path] | None, typer.Option("--input", help="History; may be given again.")] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Where the four files go.")] = None,
    config: ConfigFile = None,
    scores: Annotated[str, typer.Option(help="Rows of scores.csv: landmarks, first, all or none.")] = "landmarks",
    commands: Annotated[Path | None, typer.Option(help="What people did (JSON lines with `at`).")] = None,
    truth: Annotated[Path | None, typer.Option(help="Labelled windows of readings (JSON).")] = None,
    keep_models: Annotated[
        Path | None, typer.Option("--keep-models", help="Use the models of an earlier back-test instead of learning.")
    ] = None,
    compare: Annotated[tuple[Path, Path] | None, typer.Option(help="Two back-tests side by side.")] = None,
    json_: Json = False,
) -> None:
    """History through the same fold: report.json, report.html, warnings.jsonl, scores.csv.

    Example: forewarn backtest --mapping examples/uci_incidents/mapping.yaml --input log.csv.gz --out out/uci
    """
    if compare is not None:
        from console.reports.compare import as_text
        from console.reports.compare import compare as compare_runs

        compared = compare_runs(*compare)
        _print_json(compared) if json_ else print_plain(as_text(compared))
        return
    if mapping is None or not input or out_dir is None:
        raise typer.BadParameter("give --mapping, --input and --out, or --compare DIR DIR")
    if scores not in ("landmarks", "first", "all", "none"):
        raise typer.BadParameter("--scores is one of landmarks, first, all, none")
    from runners.backtest import Task
    from runners.backtest import backtest as run_backtest

    task = Task(mapping, tuple(input), out_dir, config, commands, scores, truth, keep_models)
    with _progress() as tell:
        note = run_backtest(task, tell)
    if json_:
        _print_json(note)
    else:
        _summary(note["counts"])
        print_plain(f"Report: {out_dir / 'report.html'}" if scores != "none" else "No report: it is made of scores.")
    _stop_if_bad(note["counts"])


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", help="Configuration with its sources.")],
    data: Annotated[Path, typer.Option("--data", help="Data directory; made when it is not there.")] = Path("data"),
    commands: Annotated[Path | None, typer.Option(help="What people did (JSON lines with `at`); files only.")] = None,
    host: Annotated[str, typer.Option(help="Address to serve on; beyond loopback only with TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of console, API and intake.")] = 8080,
    metrics_port: Annotated[int, typer.Option(help="Port of /metrics on the loopback address; 0: none.")] = 9464,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Key of the certificate (PEM).")] = None,
    trusted_proxy: Annotated[
        str | None, typer.Option("--trusted-proxy", help="Address of a proxy that ends TLS before us.")
    ] = None,
    json_: Json = False,
) -> None:
    """The real thing, embedded. Live sources: serves until stopped. Sources with files: reads them and ends.

    Example: forewarn run --config site.yaml --data /var/lib/forewarn
    """
    from config.load import load_settings

    settings = load_settings(config)
    if any(source.files for source in settings.sources):
        from runners.run_files import run_files

        with _progress() as tell:
            note = run_files(config, data, commands, tell)
        _print_json(note) if json_ else _summary(note["counts"])
        _stop_if_bad(note["counts"])
        return
    from runners.live.run import run_live
    from runners.live.server import Address

    address = Address(host, port, tls_cert, tls_key, trusted_proxy)
    if not run_live(config, settings, data, address, metrics_port, lambda said: err.print(escape(said))):
        raise typer.Exit(1)


@app.command()
def reload(data: Data) -> None:
    """Has a running site read its configuration anew: checked first, and a bad one changes nothing.

    Example: forewarn reload --data /var/lib/forewarn
    """
    from runners.live.run import reload as reload_site

    print_plain(reload_site(data))


@app.command()
def replay(
    data: Data,
    config: ConfigFile = None,
    keep_models: Annotated[
        bool, typer.Option("--keep-models", help="Keep logged models under another configuration.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Differing transitions to print.")] = 10,
    json_: Json = False,
) -> None:
    """Read an existing log again: prints digests, and what would differ under another configuration.

    Example: forewarn replay --data out/uci --config stricter.yaml --keep-models
    """
    from runners.replay import replay as replay_log

    with _progress() as tell:
        found = replay_log(data, config, keep_models=keep_models, progress=lambda n: tell("replaying", n))
    if json_:
        _print_json(
            {"equal": found.is_equal, "digests": found.digests, "stored": found.stored, "pruned": found.pruned,
             "counts": dict(found.counts),
             "transitions": found.transitions, "stored_transitions": found.stored_transitions,
             "only_replay": len(found.only_replay), "only_stored": len(found.only_stored)}
        )  # fmt: skip
    else:
        for name in sorted(found.stored | found.digests):
            print_plain(name)
            _digest_table({"store": found.stored.get(name, {}), "replay": found.digests.get(name, {})})
        for name in found.pruned:
            print_plain(f"{name}: its beginning is no longer kept, so it cannot be folded again")
        print_plain(f"{found.frames} frames, {found.transitions} transitions; the store has {found.stored_transitions}")
        if found.only_replay or found.only_stored:
            print_plain(f"only in the replay: {len(found.only_replay)}, only in the store: {len(found.only_stored)}")
            for sign, items in (("+", found.only_replay), ("-", found.only_stored)):
                for item in items[:limit]:
                    print_plain(
                        f"  {sign} {_moment(item['at'])} {item['warning'][:12]} {_LEVELS[item['from']]}"
                        f" -> {_LEVELS[item['to']]} ({item['cause']})"
                    )
            if found.counts.get("unknown_warning"):
                print_plain(
                    f"{found.counts['unknown_warning']} commands were to warnings that do not arise here: "
                    "a counterfactual ends at human actions"
                )
    if config is None and not found.is_equal:
        raise typer.Exit(1)


@app.command()
def simulate(
    out_dir: Annotated[Path, typer.Option("--out", help="Where the files go.")],
    seed: Annotated[int, typer.Option(help="Same seed, same city.")] = 7,
    days: Annotated[int, typer.Option(help="Days to simulate.")] = 60,
    grids: Annotated[int, typer.Option(help="Neighbourhood grids.")] = 240,
) -> None:
    """A synthetic city as files: signals, readings, ground truth, and the mapping and configuration to run them.

    Example: forewarn simulate --out out/city --seed 7 --days 60 --grids 24
    """
    from connectors.simulator import write

    with _progress() as tell:
        written = write(out_dir, seed=seed, days=days, grids=grids, progress=lambda n, of: tell("simulating days", n))
    print_plain(
        f"{written.signals} signals of {written.matters} matters and {written.readings} readings in {out_dir}"
        " (synthetic data, 合成数据)"
    )


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the console on this machine.")] = 8080,
    data: Annotated[Path, typer.Option(help="Data directory; an earlier demonstration in it is replaced.")] = Path(
        "out/demo"
    ),
    seed: Annotated[int, typer.Option(help="Same seed, same city.")] = 7,
    speed: Annotated[float, typer.Option(min=1.0, max=600.0, help="Log seconds per second.")] = 60.0,
    metrics_port: Annotated[int, typer.Option(help="Port of /metrics on the loopback address; 0: none.")] = 9464,
) -> None:
    """A simulated city: a month of it is folded, then it goes on at many times the speed of the wall. Ctrl-C ends it.

    Example: forewarn demo --port 8080
    """
    from runners.demo.demo import PAST_DAYS, Demo, run_demo

    people = iter(("值班员 duty officer", "审批员 approver"))
    with contextlib.ExitStack() as shown:
        tell = shown.enter_context(_progress())

        def say(link: str) -> None:
            shown.close()
            print_plain(f"{next(people, '')}: {link}")

        asked = Demo(data=data, port=port, seed=seed, speed=speed, metrics_port=metrics_port)
        fine = run_demo(asked, lambda share: tell("days of the past", round(share * PAST_DAYS)), say)
    if not fine:
        raise typer.Exit(1)


# asking ---------------------------------------------------------------------------------------------------------------


@app.command()
def warnings(
    data: Data,
    every: Annotated[bool, typer.Option("--all", help="Closed and ended ones too.")] = False,
    limit: Annotated[int, typer.Option(help="Rows to print.")] = 50,
    json_: Json = False,
) -> None:
    """Warnings, worst and newest first.

    Example: forewarn warnings --data out/uci --limit 20
    """
    from runners.questions import list_warnings

    found = list_warnings(data, every=every, limit=limit)
    if json_:
        _print_json(found)
        return
    table = Table("level", "state", "subject", "office", "category", "since", "id", box=None, pad_edge=False)
    for row in found:
        table.add_row(row["level"] or "-", row["state"], *(escape(row[n]) for n in ("subject", "office", "category")),
                      row["since"], row["id"][:12])  # fmt: skip
    out.print(table if found else "no open warning; --all shows closed ones too")
    print_plain("内部关注级，非法定预警。不作为考核、问责、排名依据。")


@app.command()
def explain(
    warning: Annotated[str, typer.Argument(help="Id of a warning (a prefix will do) or of its matter.")],
    data: Data,
    language: Annotated[str, typer.Option(help="en, zh or both.")] = "both",
    json_: Json = False,
) -> None:
    """A warning's story from the log, offline: what came when, what was known, which reasons weighed how much.

    Example: forewarn explain 3f9a0c --data out/uci
    """
    from runners.explain.explain import as_json, as_text
    from runners.explain.explain import explain as explain_warning

    if language not in ("en", "zh", "both"):
        raise typer.BadParameter("--language is one of en, zh, both")
    explained = explain_warning(data, warning, language=language)  # type: ignore[arg-type]
    _print_json(as_json(explained)) if json_ else print_plain(as_text(explained, width=out.width))


@app.command()
def digest(
    data: Annotated[Path | None, typer.Option("--data", help="Data directory of a run or back-test.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="Of a cluster: its logs are folded again beside it.")
    ] = None,
    json_: Json = False,
) -> None:
    """The chained digests of what the folds did, with the fingerprint of what they ran on.

    Of a cluster they are compared with a replay of its logs by this one process; 1 where they differ.

    Example: forewarn digest --data out/uci
    """
    if (data is None) == (config is None):
        raise typer.BadParameter("give --data DIR, or --config FILE of a cluster")
    if config is not None:
        from runners.cli_digest import digest_cluster

        digest_cluster(config, json_)
        return
    from runners.questions import digests

    assert data is not None
    found = digests(data)
    if json_:
        _print_json(found)
        return
    for log, values in found["digests"].items():
        for name, value in values.items():
            print_plain(f"{log}\t{name}\t{value}")
    print_plain("fingerprint\t" + json.dumps(found["fingerprint"], sort_keys=True))


@app.command()
def deadletters(
    data: Data,
    reason: Annotated[str | None, typer.Option(help="Of one reason only.")] = None,
    show: Annotated[int | None, typer.Option(help="One of them whole, by its id.")] = None,
    limit: Annotated[int, typer.Option(help="Rows to print.")] = 50,
    json_: Json = False,
) -> None:
    """Records that were not taken in, each with reason and remedy.

    Example: forewarn deadletters --data out/uci --reason bad_time
    """
    from runners.questions import list_deadletters

    found = list_deadletters(data, reason)
    if show is not None:
        found = [letter for letter in found if letter["id"] == show]
    if json_ or show is not None:
        _print_json(found)
        return
    table = Table("id", "source", "position", "reason", "field", "detail", "remedy", box=None, pad_edge=False)
    for letter in found[:limit]:
        table.add_row(
            *(escape(str(letter[n])) for n in ("id", "source", "position", "reason", "field", "detail", "remedy"))
        )
    out.print(table if found else "no dead letters")
    if len(found) > limit:
        print_plain(f"... and {len(found) - limit} more; --limit shows them")


@app.command()
def tune(
    data: Data,
    target: Annotated[str, typer.Option(help="The outcome whose cut-off is tuned.")],
    cutoff: Annotated[
        list[float] | None, typer.Option("--cutoff", help="Cut-off on probability; may be given again.")
    ] = None,
    budget: Annotated[float | None, typer.Option(help="Warnings a day for the whole site.")] = None,
    precision: Annotated[float | None, typer.Option(help="Wanted share of warnings that prove true.")] = None,
    level: Annotated[str, typer.Option(help="Level that --write sets.")] = "blue",
    write: Annotated[Path | None, typer.Option(help="Write a patch of the configuration here.")] = None,
    offices: Annotated[bool, typer.Option("--offices", help="A row per office too.")] = False,
    json_: Json = False,
) -> None:
    """What other cut-offs would have given, from scores.csv and the log: warnings a day, precision, recall, lead time.

    Example: forewarn tune --data out/uci --target deadline_missed --budget 20
    """
    from runners.questions import tuned

    rows, patch = tuned(data, target, cutoff or [], budget, precision, level)
    if json_:
        _print_json(rows)
    else:
        from console.reports.tune import CAVEAT_EN, CAVEAT_ZH

        columns = [name for name in rows[0] if name != "offices"] if rows else []
        table = Table(*columns, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(_cell(row[name]) for name in columns))
            for office in row["offices"] if offices else ():
                table.add_row(*(_cell(office.get(name, "")) for name in columns[:-1]), escape(str(office["office"])))
        out.print(table)
        print_plain(CAVEAT_EN)
        print_plain(CAVEAT_ZH)
    if write is not None:
        write.write_text(patch, encoding="utf-8")
        print_plain(f"patch in {write}: lay it over the configuration, then check it with `forewarn backtest`")


@app.command()
def verify(
    left: Annotated[Path, typer.Argument(help="A data directory.")],
    right: Annotated[Path | None, typer.Argument(help="The one it should equal; without it, its own replay.")] = None,
    json_: Json = False,
) -> None:
    """Nothing lost, nothing twice: compares logs, stores and digests of two runs, or a store with a fresh replay.

    Example: forewarn verify killed/ undisturbed/
    """
    from runners.verify import verify as verify_data

    findings = verify_data(left, right)
    if json_:
        _print_json([{"check": f.check, "ok": f.ok, "detail": f.detail} for f in findings])
    else:
        for finding in findings:
            print_plain(f"{'ok  ' if finding.ok else 'FAIL'} {finding.check}: {finding.detail}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def doctor(
    data: Annotated[Path | None, typer.Option(help="A data directory to look at too.")] = None, json_: Json = False
) -> None:
    """Is this machine, installation and data directory fit to run?

    Example: forewarn doctor --data /var/lib/forewarn
    """
    from runners.doctor import examine

    findings = examine(data)
    if json_:
        _print_json([{"check": f.check, "ok": f.ok, "detail": f.detail} for f in findings])
    else:
        for finding in findings:
            print_plain(f"{'ok  ' if finding.ok else 'FAIL'} {finding.check}: {finding.detail}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Figures to measure; all without one.")] = None,
    json_: Json = False,
) -> None:
    """Every speed figure beside its goal, measured now on this machine.

    Example: forewarn bench signals_whole --json
    """
    from benchmarks.suite import measure

    figures = measure(names or [], tell=None if json_ else lambda name: err.print(f"measuring {name} ..."))
    if json_:
        _print_json(figures)
        return
    table = Table("name", "measured", "unit", "goal", "peer", "ratio", "passed", box=None, pad_edge=False)
    for figure in figures:
        table.add_row(*(_cell(figure[name]) for name in ("name", "measured", "unit", "goal", "peer", "ratio")),
                      {True: "yes", False: "NO", None: "-"}[figure["passed"]])  # fmt: skip
    out.print(table)


add_cluster(app)


# mapping and config ---------------------------------------------------------------------------------------------------


@mapping_app.command("new")
def mapping_new(
    input: Annotated[Path, typer.Option("--input", help="A file to look at.")],
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the proposal here.")] = None,
) -> None:
    """Looks at a file, proposes a mapping and shows ten rows as they would arrive.

    Example: forewarn mapping new --input tickets.csv --out tickets.yaml
    """
    from connectors.mapping_new import propose

    text, rows = propose(input)
    if out_file is not None:
        out_file.write_text(text, encoding="utf-8")
        print_plain(f"proposal in {out_file}; fill in the contract, then `forewarn mapping check`")
    else:
        print_plain(text)
    _preview(rows)


@mapping_app.command("check")
def mapping_check(
    mapping: Annotated[Path, typer.Option("--mapping", help="The mapping file.")],
    input: Annotated[Path, typer.Option("--input", help="A file to try it on.")],
) -> None:
    """Is a mapping sound, and what would arrive? Shows ten rows and every problem.

    Example: forewarn mapping check --mapping tickets.yaml --input tickets.csv
    """
    from connectors.mapping_check import check

    found = check(mapping, [input])
    _preview(found.rows)
    for problem in found.problems:
        print_plain(problem)
    print_plain(f"{found.taken} rows taken, {found.refused} refused, {found.fields_lost} fields lost")
    if found.problems:
        raise typer.Exit(1)


@mapping_app.command("schema")
def mapping_schema_() -> None:
    """JSON Schema of a mapping file, for editors.

    Example: forewarn mapping schema > mapping.schema.json
    """
    from connectors.mapping_model import mapping_schema

    _print_json(mapping_schema())


@config_app.command("check")
def config_check(file: Annotated[Path, typer.Argument(help="The configuration.")]) -> None:
    """Every problem at once, each with file, line, key and a suggestion.

    Example: forewarn config check site.yaml
    """
    from config.load import load_settings

    settings = load_settings(file)
    print_plain(
        f"{file}: sound; {len(settings.places)} places, {len(settings.offices)} offices,"
        f" {len(settings.categories)} categories, {len(settings.clocks)} clocks, {len(settings.sources)} sources"
    )


@config_app.command("schema")
def config_schema() -> None:
    """JSON Schema of a configuration file, for editors.

    Example: forewarn config schema > forewarn.schema.json
    """
    from config.load import settings_schema

    _print_json(settings_schema())


# printing -------------------------------------------------------------------------------------------------------------

_LEVELS = {0: "none", 1: "blue", 2: "yellow", 3: "orange", 4: "red"}


def print_plain(text: str) -> None:
    """Text as it is: no markup, no wrapping."""
    out.print(text, markup=False, soft_wrap=True)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.4g}" if isinstance(value, float) else escape(str(value))


def _moment(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%d %H:%M")


def _digest_table(columns: dict[str, dict[str, str]]) -> None:
    names = sorted({name for values in columns.values() for name in values})
    table = Table("digest", *columns, "", box=None, pad_edge=False)
    for name in names:
        values = [column.get(name, "-") for column in columns.values()]
        table.add_row(name, *values, "equal" if len(set(values)) == 1 else "DIFFERENT")
    out.print(table)


def _preview(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*columns, box=None, pad_edge=False, title="as they would arrive", title_justify="left")
    for row in rows:
        table.add_row(*(_cell(row.get(name, "")) for name in columns))
    out.print(table)


def _summary(counts: dict[str, Any]) -> None:
    for name, count in sorted(counts.items()):
        if name == "reasons":
            for reason, number in count.items():
                print_plain(f"  {reason:28} {number:>12,}")
        elif isinstance(count, int):
            print_plain(f"{name:30} {count:>12,}")


def _stop_if_bad(counts: dict[str, Any]) -> None:
    """More than a fifth rejected: what was taken in is written, and the exit says that it cannot be trusted."""
    rejected = sum(n for reason, n in counts.get("reasons", {}).items() if reason not in _HARMLESS)
    if rejected > 0.2 * max(1, counts.get("read", 0)):
        err.print(f"{rejected} of {counts['read']} records were rejected: see `forewarn deadletters`")
        raise typer.Exit(1)


_HARMLESS = frozenset({"field_not_allowed", "duplicate", "late", "out_of_order", "before_registration"})


@contextlib.contextmanager
def _progress() -> Iterator[Any]:
    """A bar on a terminal and nothing in a pipe."""
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    )  # fmt: skip
    tasks: dict[str, Any] = {}
    done: dict[str, int] = {}

    def tell(stage: str, amount: int) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=None)
        done[stage] = done.get(stage, 0) + amount if stage == "reading" else amount
        bar.update(tasks[stage], completed=done[stage])

    with bar:
        yield tell


if __name__ == "__main__":
    main()
