"""What a first start gets wrong: settings, objectives, Prometheus, the service, the watchdog, the ledger, Telegram.

Each finding is ok, a warning (it works, but not as it could) or wrong (it does not work), and says what to do. Nothing
is changed, nobody is notified, and no secret is shown.
"""

import asyncio
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from wine_slo.config import slo_file
from wine_slo.config.environment import SettingsError, file, read, unknown
from wine_slo.config.slo_file import SloFile
from wine_slo.integrations.peers import (
    OtherServiceError,
    ServiceApi,
    ServiceError,
    ServiceHealth,
    WatchdogApi,
    WatchdogError,
)
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.telegram.rights import TelegramRights
from wine_slo.monitor.commands.finding import Finding, Findings, Grade, ok, warning, wrong
from wine_slo.monitor.commands.source_findings import source_findings
from wine_slo.monitor.commands.telegram_findings import telegram_findings
from wine_slo.monitor.evaluate.live_objectives import load_objectives
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.model import model_file
from wine_slo.service.model.model_file import ModelFileError
from wine_slo.service.settings import ServerSettings
from wine_slo.slo.source.clocks import WallClock
from wine_slo.slo.source.metric_source import MetricSource, SourceInfo

SAYS_OF_ITSELF = {
    "alone": "answers, and evaluates when it should",
    "leader": "leads, and evaluates when it should",
    "standby": "stands by, and takes over when the one that leads ends",
}
SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that is examined.

    Attributes:
        prometheus: Each Prometheus and what describes it, by its URL.
        is_service_named: Whether the settings say where the service is.
    """

    prometheus: Mapping[str, tuple[MetricSource, SourceInfo]]
    service: ServiceApi
    watchdog: WatchdogApi
    telegram: TelegramRights | None
    clock: WallClock
    is_service_named: bool = True


def read_all_settings() -> list[Finding]:
    """Read the settings of both processes; who runs the watchdog alone reads nothing of the server."""
    found = read_settings("settings", WatchdogSettings)
    found += [each for each in read_settings("server", ServerSettings) if each.grade is Grade.WRONG]
    with suppress(SettingsError):  # which has been found
        sentences = unknown(WatchdogSettings, ServerSettings)
        found += [warning("settings", each, "correct its name, or take it away") for each in sentences]
    return found


def read_settings(about: str, kind: type[WatchdogSettings] | type[ServerSettings]) -> list[Finding]:
    """Return what is found of the settings of one process."""
    try:
        read(kind)
    except SettingsError as error:
        return [
            wrong(about, line, "write what is wanted into .env or the environment") for line in str(error).split("\n")
        ]
    return [ok(about, "can be read")]


def read_objectives(settings: WatchdogSettings) -> tuple[SloFile | None, list[Finding]]:
    """Return the objectives, and what is found of their file."""
    about = "objectives"
    try:
        file = load_objectives(settings)
    except slo_file.SloFileError as error:
        remedy = "correct that line; slo.schema.json says what can stand there"
        return None, [wrong(about, each, remedy) for each in error.mistakes]
    objectives = file.objectives()
    names = ", ".join(objectives.by_name)
    findings = [ok(about, f"{settings.objectives} has the objectives {names}")]
    longest = objectives.longest_poll.total_seconds()
    if settings.poll_seconds > longest:
        findings.append(
            wrong(
                about,
                f"the watchdog evaluates every {settings.poll_seconds:g} s, and monitoring counts "
                f"as lost after {longest * 2:g} s",
                f"set WINE_SLO_POLL_SECONDS to at most {longest:g}, or blind_for in {settings.objectives} to more",
            )
        )
    return file, findings


async def check_all(settings: WatchdogSettings, file: SloFile | None, around: Surroundings) -> list[Finding]:
    """Return everything that can be examined, side by side; in order."""
    parts = await asyncio.gather(
        _sources(file, around),
        _gather(_service(around.service, is_named=around.is_service_named)),
        _gather(_watchdog(around.watchdog)),
        _gather(_ledger(settings)),
        _gather(telegram_findings(settings, around.telegram)),
        _gather(_heartbeat(settings)),
        _gather(_secrets(settings)),
    )
    return [finding for part in parts for finding in part]


async def _sources(file: SloFile | None, around: Surroundings) -> list[Finding]:
    """Return what is found of each Prometheus: what is so of all of them once, else with the one of which it is."""
    each = await asyncio.gather(
        *(_gather(source_findings(url, file, *source, around.clock)) for url, source in around.prometheus.items())
    )
    found: dict[Finding, None] = {}
    for url, findings in zip(around.prometheus, each, strict=True):
        for finding in findings:
            is_of_all = url in finding.sentence or all(finding in others for others in each)
            found[finding if is_of_all else replace(finding, sentence=f"of {url}: {finding.sentence}")] = None
    return list(found)


async def _gather(findings: Findings) -> list[Finding]:
    return [each async for each in findings]


# The service and its model


async def _service(service: ServiceApi, *, is_named: bool) -> Findings:
    """Yield what is found of the service that comes with the watchdog; nothing where another one is watched."""
    about = "service"
    try:
        health = await service.health()
    except OtherServiceError:
        return
    except ServiceError as error:
        if is_named:
            yield wrong(about, str(error), "start it (`make up` does), or set WINE_SLO_SERVICE_URL to its root")
        return
    if health.status != "ok":
        yield wrong(about, f"cannot predict: {health.reason or health.status}", "`wine-slo train`, then restart it")
    else:
        yield ok(about, f"answers, version {health.version}, model {health.model_version}")
        for each in _served(health):
            yield each
    async for finding in _model():
        yield finding


def _served(health: ServiceHealth) -> Iterator[Finding]:
    """Yield a warning where another model is served than the one on this disk."""
    try:
        card = model_file.read_card(read(ServerSettings).model.with_suffix(".json"))
    except (SettingsError, ModelFileError):
        return  # the model on this machine is examined by itself
    if health.model_sha256 != card.sha256:
        yield warning(
            "service",
            f"serves another model ({(health.model_sha256 or '')[:8]}…) than the one on this disk ({card.sha256[:8]}…)",
            "restart it, if it is to serve this one",
        )


async def _model() -> Findings:
    about = "model"
    try:
        path = read(ServerSettings).model
    except SettingsError:
        return  # reported already
    try:
        model = await asyncio.to_thread(model_file.load, path)
    except ModelFileError as error:
        yield wrong(about, str(error), "`wine-slo train` writes both anew")
    else:
        yield ok(about, f"{path} and its card agree, version {model.card.version}")


# The watchdog


async def _watchdog(watchdog: WatchdogApi) -> Findings:
    about = "watchdog"
    try:
        health = await watchdog.health()
    except WatchdogError as error:
        yield wrong(
            about, str(error), "start it (`wine-slo watchdog`, or `make up`), or set WINE_SLO_WATCHDOG_URL to its root"
        )
        return
    for chat, reason in health.unreachable.items():
        yield wrong(
            about,
            f"cannot reach chat {chat}: {reason}",
            "let the bot write there, or take the chat out of the settings; it is tried again within the hour, at "
            "the next incident, and as soon as any update comes from there",
        )
    if health.status != "ok" and not health.unreachable:
        yield wrong(about, f"says of itself: {health.status}", "its log says why")
    elif health.status == "ok":
        yield ok(about, SAYS_OF_ITSELF.get(health.role, "answers"))
        if health.role == "leader" and not health.standbys:
            yield warning(about, "no other watchdog stands by", "start a second one with WINE_SLO_STANDBY=true")


async def _ledger(settings: WatchdogSettings) -> Findings:
    about = "ledger"
    path, nearest = _place_of(settings.database_url)
    if nearest is not None:
        if nearest.is_dir() and os.access(nearest, os.W_OK):
            yield ok(about, f"{path} will be made by the first start of the watchdog")
        else:
            yield wrong(about, f"{path} cannot be made: {nearest} cannot be written", "change WINE_SLO_DATABASE_URL")
        return
    try:
        await asyncio.to_thread(_try_ledger, settings.database_url)
    except LedgerError as error:
        advice = "make room or give the rights; until then a restart may repeat messages"
        if not settings.database_url.startswith(SQLITE):
            advice = "see docs/reference/ledger.md; until then the watchdog does not start"
        elif "is locked" in str(error):  # as SQLite says it
            advice = "end the program that writes it; /health of a watchdog that stands by names one that is suspended"
        yield wrong(about, str(error), advice)
    else:
        yield ok(about, "can be read and written")


def _place_of(url: str) -> tuple[Path, Path | None]:
    """Return where a ledger is, and the nearest folder that there is where the ledger is not made yet."""
    path = Path(url.removeprefix(SQLITE))
    if not url.startswith(SQLITE) or path.exists():
        return path, None
    return path, next(each for each in path.absolute().parents if each.exists())


def _try_ledger(url: str) -> None:
    ledger = Ledger.open(url)
    try:
        ledger.load()
        ledger.try_writing()
    finally:
        ledger.close()


# The rest


async def _heartbeat(settings: WatchdogSettings) -> Findings:
    if settings.heartbeat_url:
        yield ok("heartbeat", "is set: an outage of the watchdog itself is detected")
    else:
        yield warning(
            "heartbeat",
            "is not set: an outage of the watchdog itself is not detected",
            "set WINE_SLO_HEARTBEAT_URL to a dead-man's switch, such as one of healthchecks.io",
        )


async def _secrets(settings: WatchdogSettings) -> Findings:
    path = file()
    try:
        mode = path.stat().st_mode  # one read of a local file
    except OSError:
        return
    if settings.secrets and mode & (stat.S_IRGRP | stat.S_IROTH):
        yield warning("secrets", f"{path} can be read by others on this machine", f"chmod 600 {path}")
