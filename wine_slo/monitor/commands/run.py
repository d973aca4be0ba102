"""The commands that check and try: each reads the settings, does its thing, prints, and returns an exit status.

What a person reads goes to standard output; what is wrong before anything could be done, to standard error. With
`--json` standard output holds one JSON document and nothing else.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from wine_slo.config import slo_file
from wine_slo.config.environment import SettingsError, read
from wine_slo.config.environment import is_set as has_value
from wine_slo.config.setting_types import Secret
from wine_slo.config.visible import visible_lines
from wine_slo.exit_status import ExitStatus
from wine_slo.integrations.console.terminal import Terminal
from wine_slo.integrations.peers import ServiceApi, WatchdogApi, WatchdogError
from wine_slo.monitor.commands import output
from wine_slo.monitor.commands.check import check as evaluate
from wine_slo.monitor.commands.finding import Finding, Grade
from wine_slo.monitor.drill.result import Drill
from wine_slo.monitor.evaluate import source
from wine_slo.monitor.evaluate.live_objectives import at_real_intervals, load_objectives
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.redaction import learn, redact, redacted
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import MetricSource, SourceInfo
from wine_slo.slo.views.status_schema import Status

VERSION = version("wine-slo")


def is_set(variable: str) -> ExitStatus:
    """Return whether a variable has a value in the environment or `.env`."""
    try:
        return _status(is_right=has_value(variable))
    except SettingsError as error:
        return _refuse(error, as_json=False)


def check(name: str | None, *, as_json: bool) -> ExitStatus:
    """Evaluate once, and print a line for each objective."""
    try:
        settings = read(WatchdogSettings)
        file = load_objectives(settings)
        _chosen(file.objectives(), name)
    except (SettingsError, slo_file.SloFileError) as error:
        return _refuse(error, as_json=as_json)

    async def fetch() -> ExitStatus:
        async with _prometheus(settings) as (api, info):
            report = await evaluate(api, _chosen(await at_real_intervals(file, api, info), name), _now, VERSION)
        if as_json:
            _print_json(report)
        else:
            _print("\n".join(each.line for each in report.objectives))
        return report.exit_status

    try:
        return asyncio.run(fetch())
    except slo_file.SloFileError as error:  # at the real scrape intervals
        return _refuse(error, as_json=as_json)


def validate(files: Sequence[Path], *, as_json: bool) -> ExitStatus:
    """Report what each file of objectives holds, or every mistake in it."""
    found: dict[str, list[str]] = {}
    mistakes: list[str] = []
    for path in files:
        try:
            found[str(path)] = list(slo_file.load(path).objectives().by_name)
        except slo_file.SloFileError as error:
            mistakes += error.mistakes
    status = ExitStatus.BAD_INPUT if mistakes else ExitStatus.OK
    if as_json:
        _print_json({"exit_status": status, "objectives": found, "mistakes": mistakes})
    else:
        for name, objectives in found.items():
            _print(f"{name}: {', '.join(objectives)}")
        for mistake in mistakes:
            _complain(mistake)
    return status


def status(*, as_json: bool) -> ExitStatus:
    """Print what the watchdog says."""
    try:
        settings = read(WatchdogSettings)
    except SettingsError as error:
        return _refuse(error, as_json=as_json)

    async def fetch() -> Status:
        async with aiohttp.ClientSession() as session:
            return await _watchdog(session, settings).status()

    try:
        found = asyncio.run(fetch())
    except WatchdogError as error:
        if as_json:
            _print_json({"trouble": str(error)})
        else:
            _complain(str(error))
        return ExitStatus.NO_DATA
    if as_json:
        _print_json(found)
    else:
        output.status(Terminal(), found, settings.timezone)
    return _status(is_right=not found.overdue)


def drill(name: str | None, minutes: float, *, as_json: bool) -> ExitStatus:
    """Make an incident, and print how soon it was detected and notified."""
    try:
        settings = read(WatchdogSettings)
        file = load_objectives(settings)
        _to_break(file, file.objectives(), name)
    except (SettingsError, slo_file.SloFileError) as error:
        return _refuse(error, as_json=as_json)
    from wine_slo.monitor.drill import commands, means, runner  # noqa: PLC0415

    terminal = Terminal()

    async def do() -> Drill:
        async with _prometheus(settings) as (api, info), aiohttp.ClientSession() as session:
            objective = _to_break(file, await at_real_intervals(file, api, info), name)
            watchdog, service = _watchdog(session, settings), ServiceApi(session, settings.service_url)
            with output.drilling(None if as_json else terminal) as show:
                return await runner.run(
                    commands.means_of(file.drill, session, service, api),
                    partial(watchdog.status, objective.name),
                    objective,
                    marks=partial(_marked, watchdog, settings.api_token),
                    longest=timedelta(minutes=minutes),
                    clock=_now,
                    on_progress=show,
                )

    try:
        done = asyncio.run(do())
    except slo_file.SloFileError as error:  # at the real scrape intervals
        return _refuse(error, as_json=as_json)
    except means.DrillRefusedError as error:
        if as_json:
            _print_json({"refused": str(error)})
        else:
            _complain(f"no drill: {error}")
        return ExitStatus.NO_DATA
    except means.DrillStoppedError as error:
        _complain(f"stopped: {error}")
        return ExitStatus.FAILED
    except KeyboardInterrupt:
        _complain("stopped: nothing breaks the service any more; an incident that is open ends when it is good again")
        return ExitStatus.INTERRUPTED
    if as_json:
        sentences = {each: str(getattr(done, each) or "") for each in ("does", "mends", "trouble")}
        _print_json({**msgspec.to_builtins(done), **sentences, "has_worked": done.has_worked})
    return _status(is_right=done.has_worked)


def doctor(*, as_json: bool) -> ExitStatus:
    """Examine everything that a first start gets wrong."""
    from wine_slo.monitor.commands import doctor as checking  # noqa: PLC0415

    findings = checking.read_all_settings()
    try:
        settings = read(WatchdogSettings)
    except SettingsError:
        pass
    else:
        file, found = checking.read_objectives(settings)
        findings += [*found, *asyncio.run(_check(settings, file))]
    status = _status(is_right=all(each.grade is not Grade.WRONG for each in findings))
    if as_json:
        _print_json({"exit_status": status, "findings": findings})
    else:
        output.findings(Terminal(), findings)
    return status


def backup(to: Path) -> ExitStatus:
    """Write the ledger into a new file."""
    from wine_slo.integrations.storage.ledger import Ledger  # noqa: PLC0415
    from wine_slo.integrations.storage.ledger_error import LedgerError  # noqa: PLC0415

    try:
        settings = read(WatchdogSettings)
    except SettingsError as error:
        return _refuse(error, as_json=False)
    try:
        Ledger.backup(settings.database_url, to)
    except LedgerError as error:
        _complain(str(error))
        return ExitStatus.FAILED
    _print(f"{settings.database_url.removeprefix('sqlite:///')} is written into {to}")
    return ExitStatus.OK


def copy(source: str, target: str) -> ExitStatus:
    """Copy one ledger into another one."""
    from wine_slo.integrations.storage.engines.urls import database_at  # noqa: PLC0415
    from wine_slo.integrations.storage.ledger_error import LedgerError  # noqa: PLC0415
    from wine_slo.integrations.storage.setting_types import secrets_of  # noqa: PLC0415
    from wine_slo.integrations.storage.upkeep import copying  # noqa: PLC0415

    learn([*secrets_of(source), *secrets_of(target)])
    try:
        shown = [str(database_at(url)) for url in (source, target)]
    except LedgerError as error:
        _complain(str(error))
        return ExitStatus.BAD_INPUT
    try:
        contents = copying.copy(source, target)
    except LedgerError as error:
        _complain(str(error))
        return ExitStatus.FAILED
    for each in contents:
        _print(f"{each.table:<10} {each.rows:>9} rows  {each.digest[:16]}")
    _print(f"All of {shown[0]} is in {shown[1]}; every row was read back there and is the same.")
    _print(f"The watchdog uses it once WINE_SLO_DATABASE_URL names it: {shown[1]}")
    return ExitStatus.OK


def check_ledger(*, as_json: bool) -> ExitStatus:
    """Say whether the ledger is whole, and what it holds."""
    from wine_slo.integrations.storage.ledger_error import LedgerError  # noqa: PLC0415
    from wine_slo.integrations.storage.upkeep import checking  # noqa: PLC0415

    try:
        health = checking.check(read(WatchdogSettings).database_url)
    except (SettingsError, checking.NoLedgerError) as error:
        return _refuse(error, as_json=as_json)
    except LedgerError as error:
        if as_json:
            _print_json({"exit_status": ExitStatus.FAILED, "damage": [str(error)]})
        else:
            _complain(str(error))
        return ExitStatus.FAILED
    status = _status(is_right=not health.damage)
    if as_json:
        _print_json({"exit_status": status, **msgspec.to_builtins(health)})
    else:
        for line in output.ledger(health):
            _print(line)
    return status


async def _check(settings: WatchdogSettings, file: slo_file.SloFile | None) -> list[Finding]:
    from wine_slo.integrations.telegram import connection, rights  # noqa: PLC0415
    from wine_slo.monitor.commands import doctor as checking  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        telegram = None
        if settings.telegram_token:
            bot = connection.connect(settings.telegram_token.value, settings.telegram_api_url, settings.telegram_way)
            telegram = rights.TelegramRights(bot)
            stack.push_async_callback(telegram.close)
        around = checking.Surroundings(
            source.replicas(session, settings),
            ServiceApi(session, settings.service_url),
            _watchdog(session, settings),
            telegram,
            _now,
            is_service_named=has_value("WINE_SLO_SERVICE_URL"),
        )
        return await checking.check_all(settings, file, around)


@asynccontextmanager
async def _marked(watchdog: WatchdogApi, token: Secret | None, drill: Drill, longest: timedelta) -> AsyncIterator[None]:
    """Have the watchdog mark what opens meanwhile as a drill's, where that does not show by itself."""
    is_announced = False
    if not drill.shows_itself:
        try:
            is_announced = await _announced(watchdog, token, drill, longest)
        except WatchdogError as error:
            _complain(f"its incident will not be marked as a drill: {error}")
    try:
        yield
    finally:
        if is_announced and token is not None:
            with suppress(WatchdogError):  # it has an end in the report of its beginning
                await watchdog.report_drill(drill.slo, 0, token.value)


async def _announced(watchdog: WatchdogApi, token: Secret | None, drill: Drill, longest: timedelta) -> bool:
    """Return whether the watchdog knows that a drill begins.

    Raises:
        WatchdogError: It does not take that.
    """
    if token is None:
        _complain("its incident will not be marked as a drill: WINE_SLO_API_TOKEN is not set")
        return False
    await watchdog.report_drill(drill.slo, longest.total_seconds(), token.value)
    return True


def _to_break(file: slo_file.SloFile, objectives: Objectives, name: str | None) -> Objective:
    """Return the objective that a drill breaks: of a name, or the first that it can.

    Raises:
        SettingsError: There is none.
    """
    from wine_slo.monitor.drill.commands import to_break  # noqa: PLC0415

    found = to_break(_chosen(objectives, name).all, file.drill, name)
    if found is None:
        raise SettingsError(
            "there is no objective of the kind latency that a drill through /sleep could break; `drill:` in slo.yml "
            "names a URL or two commands that break another one"
        )
    return found


def _chosen(objectives: Objectives, name: str | None) -> Objectives:
    """Return all objectives, or the one of a name.

    Raises:
        SettingsError: there is none of that name.
    """
    if name is None:
        return objectives
    if name not in objectives.by_name:
        raise SettingsError(f"there is no objective {name!r}; there are {', '.join(objectives.by_name)}")
    return Objectives((objectives.by_name[name],), blind_for=objectives.blind_for)


@asynccontextmanager
async def _prometheus(settings: WatchdogSettings) -> AsyncIterator[tuple[MetricSource, SourceInfo]]:
    async with aiohttp.ClientSession() as session:
        yield source.connect(session, settings), source.info(session, settings)


def _watchdog(session: aiohttp.ClientSession, settings: WatchdogSettings) -> WatchdogApi:
    """Return the watchdog of the settings."""
    password = settings.watchdog_password.value if settings.watchdog_password else None
    return WatchdogApi(session, settings.watchdog_root, password=password)


def _now() -> WallTime:
    """Read the clock."""
    return WallTime(datetime.now(UTC))


def _status(*, is_right: bool) -> ExitStatus:
    """Return what a process ends with that has found out whether something is right."""
    return ExitStatus.OK if is_right else ExitStatus.FAILED


def _refuse(error: Exception, *, as_json: bool) -> ExitStatus:
    """Say what is wrong with the configuration."""
    if as_json:
        _print_json(
            {"answer": "bad_configuration", "exit_status": ExitStatus.BAD_INPUT, "mistakes": str(error).split("\n")}
        )
    else:
        _complain(str(error))
    return ExitStatus.BAD_INPUT


def _complain(text: str) -> None:
    sys.stderr.write(f"{redact(text)}\n")


def _print(text: str) -> None:
    sys.stdout.write(f"{visible_lines(redact(text))}\n")


def _print_json(value: Any) -> None:
    shown = redacted(msgspec.to_builtins(value, str_keys=True))
    sys.stdout.write(f"{msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()}\n")
