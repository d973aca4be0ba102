"""The `wine-slo` command. Each subcommand imports its own, so that `--help` is there at once."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from wine_slo import extras
from wine_slo.exit_status import ExitStatus, epilogue

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
OUTPUT = Path("slo.yml")  # of `init`

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _print_version(is_wanted: bool) -> None:  # noqa: FBT001  # typer calls it with the flag
    if is_wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"wine-slo {version('wine-slo')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    env_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read settings from this file instead of .env.")
    ] = None,
    version: Annotated[  # noqa: ARG001  # its callback has done it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Serve a wine classifier, and monitor its SLOs."""
    if env_file:
        from wine_slo.config import environment  # noqa: PLC0415

        environment.read_file(env_file)


@app.command(hidden=True, epilog=epilogue("is-set"))
def is_set(name: str) -> None:
    """Say by the exit status whether a variable is set, by the rules of our own settings."""
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.is_set(name))


@app.command(epilog=epilogue("train"))
def train() -> None:
    """Train the shipped model and write models/model.pkl and its card."""
    extras.need("server", "train")
    from wine_slo.service.model import training  # noqa: PLC0415

    training.main()


@app.command(epilog=epilogue("server"))
def server(workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1) -> None:
    """Serve the API and the form until stopped."""
    extras.need("server", "server")
    from wine_slo import server  # noqa: PLC0415

    server.main(workers)


@app.command(epilog=epilogue("watchdog"))
def watchdog() -> None:
    """Evaluate the SLOs and send notifications, until stopped."""
    extras.need("watchdog", "watchdog")
    from wine_slo import watchdog  # noqa: PLC0415

    watchdog.main()


@app.command(epilog=epilogue("check"))
def check(
    objective: Annotated[str | None, typer.Option(metavar="NAME", help="Only this one of slo.yml.")] = None,
    as_json: Json = False,  # noqa: FBT002  # a flag is a boolean
) -> None:
    """Say whether the SLOs are met right now.

    Evaluates once, by the watchdog's rules.

    Of several objectives the first that holds of the exit statuses
    1, 3, 4 and 0 counts.
    """
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.check(objective, as_json=as_json))


@app.command(epilog=epilogue("validate"))
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Such as config/slo.yml.")],
    as_json: Json = False,  # noqa: FBT002  # a flag is a boolean
) -> None:
    """Say whether files of objectives can be used, as an editor or CI wants to know.

    Needs neither settings nor Prometheus. Every mistake is reported with its
    line.
    """
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.validate(files, as_json=as_json))


@app.command(epilog=epilogue("init"))
def init(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="More files of --from.")] = None,
    *,
    prometheus: Annotated[
        str | None, typer.Option(metavar="URL", help="The root of its API; that of the settings by default.")
    ] = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="Objectives of another tool instead; or a folder."),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="What to write.")] = OUTPUT,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file where it is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take what is proposed, without a question.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Copy the files of the wine service instead.")] = False,
) -> None:
    """Write a first slo.yml, for what a Prometheus scrapes or out of the objectives of another tool.

    Finds jobs, histograms, counters by status and probes, and proposes
    objectives with numbers that the last day has kept. Writes .env too where
    there is none. Credentials are read from the settings, as always.

    With --from it reads Sloth, Pyrra, OpenSLO, slo-generator and Prometheus
    alerting rules, and says of each SLO what was taken, changed or left out
    and why.

    With --example it copies config/slo.yml, its schema and prometheus.yml of
    the service that comes with wine-slo, and needs no Prometheus.
    """
    from wine_slo.monitor.onboarding import example as example_files  # noqa: PLC0415
    from wine_slo.monitor.onboarding import init as onboarding  # noqa: PLC0415
    from wine_slo.monitor.onboarding.importing.command import main as import_slos  # noqa: PLC0415

    if example:
        if files or sources or prometheus or output != OUTPUT:
            raise typer.BadParameter("it copies its own files; beside it stands --force alone", param_hint="--example")
        raise typer.Exit(example_files.main(force=force))
    if sources:
        raise typer.Exit(import_slos([*sources, *(files or ())], output, force=force, prometheus=prometheus))
    if files:
        raise typer.BadParameter("files belong behind --from", param_hint="FILE")
    options = onboarding.Options(prometheus=prometheus, output=output, force=force, yes=yes)
    raise typer.Exit(onboarding.main(options))


@app.command(epilog=epilogue("status"))
def status(as_json: Json = False) -> None:  # noqa: FBT002
    """Show the current status of all objectives, by the watchdog."""
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.status(as_json=as_json))


@app.command(epilog=epilogue("drill"))
def drill(
    objective: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to break; else the first latency.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, max=10, help="For how long at the most.")] = 3,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Break the service on purpose, and measure detection, notification and recovery.

    Does what `drill` in slo.yml says, for at most so many minutes: requests
    a URL, or runs a command and, however it ends, another one. Without it,
    requests /sleep of the service that comes with it, which the error budget
    leaves out, and then as many fast ones. Ctrl-C ends it.
    """
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.drill(objective, minutes, as_json=as_json))


@app.command(epilog=epilogue("replay"))
def replay(  # noqa: PLR0913  # options of a command, each by its name
    *,
    since: Annotated[str | None, typer.Option(metavar="SPAN", help="How far back; 7d by default.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="ISO", help="Or from when.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="ISO", help="Until when; now by default.")] = None,
    objectives: Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of slo.yml.")] = None,
    sweep: Annotated[
        str | None,
        typer.Option(metavar="FIELD=VALUES", help="Try latency.threshold=0.5..2 or errors.bad_for=15s,25s,1m."),
    ] = None,
    incidents: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known incidents to compare, CSV or YAML with start and end.")
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV: one row per alarm, or per value.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write one page with charts.")] = None,
    keep: Annotated[bool, typer.Option(help="Keep the answers of Prometheus in data/replay.")] = True,
) -> None:
    """Show the alarms that the objectives would have had in the past.

    Runs the watchdog's own evaluator over the data in Prometheus: same
    evaluations, same rules, same incidents. An interrupted run continues
    where it was.
    """
    extras.need("watchdog", "replay")
    from wine_slo.monitor.replay.command import main  # noqa: PLC0415
    from wine_slo.monitor.replay.inputs import Options  # noqa: PLC0415

    form = "json" if as_json else "csv" if as_csv else "table"
    raise typer.Exit(
        main(
            Options(
                since=since,
                start=start,
                until=until,
                objectives=objectives,
                sweep=sweep,
                known=incidents,
                form=form,
                html=html,
                keep=keep,
            )
        )
    )


@app.command(epilog=epilogue("suggest"))
def suggest(
    objectives: Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of slo.yml.")] = None,
    discover: Annotated[bool, typer.Option("--discover", help="For what Prometheus scrapes instead.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Propose thresholds and objectives by what the last 28 days have kept.

    Counts every threshold with every objective, and replays the strictest
    ones of them, and those of slo.yml, with the watchdog's own evaluator.
    An interrupted run continues where it was.
    """
    extras.need("watchdog", "suggest")
    from wine_slo.monitor.onboarding.suggest import command as suggesting  # noqa: PLC0415

    raise typer.Exit(suggesting.main(objectives, is_discovering=discover, as_json=as_json))


@app.command(epilog=epilogue("doctor"))
def doctor(as_json: Json = False) -> None:  # noqa: FBT002
    """Say what is wrong with the set-up, and what to do about it.

    Checks the settings, the objectives, Prometheus and what it scrapes, the
    service and its model, the watchdog, its ledger, Telegram and its chats. It
    changes nothing and notifies nobody.
    """
    extras.need("watchdog", "doctor")
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.doctor(as_json=as_json))


ledger = typer.Typer(no_args_is_help=True, help="Keep the watchdog's ledger safe.")
app.add_typer(ledger, name="ledger")


@ledger.callback()
def of_ledger() -> None:
    """Keep the watchdog's ledger safe."""


@ledger.command(epilog=epilogue("ledger backup"))
def backup(file: Annotated[Path, typer.Argument(help="A new file; one that is there is not overwritten.")]) -> None:
    """Write the whole ledger into one new file, beside a running watchdog too.

    To restore, stop the watchdog and put that file in the place of the
    ledger, without the -wal and -shm files beside it. A ledger on PostgreSQL
    is backed up by pg_dump: this says the command.
    """
    extras.need("watchdog", "ledger backup")
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.backup(file))


@ledger.command(epilog=epilogue("ledger copy"))
def copy(
    source: Annotated[str, typer.Argument(help="The URL of the ledger that there is.")],
    target: Annotated[str, typer.Argument(help="The URL of one that holds nothing yet.")],
) -> None:
    """Copy the whole ledger into another database, of SQLite or PostgreSQL.

    Both are SQLAlchemy URLs, as in WINE_SLO_DATABASE_URL. Stop the watchdog
    before: a ledger that one works with is not copied. Nothing of the source
    is changed, every row is read back, and a copy that fails leaves nothing.
    """
    extras.need("watchdog", "ledger copy")
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.copy(source, target))


@ledger.command("check", epilog=epilogue("ledger check"))
def check_ledger(as_json: Json = False) -> None:  # noqa: FBT002
    """Say whether the ledger is whole, and what it holds.

    Reads every row, beside a running watchdog too, and changes nothing.
    Shows its schema, size, counts and oldest incident, and who leads.
    """
    extras.need("watchdog", "ledger check")
    from wine_slo.monitor.commands import run  # noqa: PLC0415

    raise typer.Exit(run.check_ledger(as_json=as_json))


def run() -> None:
    """Run the command; what nobody expected is logged, as the log hides secrets, and fails."""
    from wine_slo.config import log_setup  # noqa: PLC0415
    from wine_slo.integrations.console import standard_streams  # noqa: PLC0415

    output = standard_streams.open_output()
    log_setup.configure("text", level=logging.WARNING)
    try:
        app(prog_name="wine-slo")
    except SystemExit as ended:
        raise SystemExit(output.status(ended.code if isinstance(ended.code, int) else ExitStatus.OK)) from None
    except Exception:
        logging.getLogger("wine_slo").critical("an error that nobody expected", exc_info=True)
        raise SystemExit(ExitStatus.FAILED) from None
