"""What a first start gets wrong: settings, objectives, Prometheus, the service, the watchdog, the ledger, Telegram.

Each finding is ok, a warning (it works, but not as it could) or wrong (it does not work), and says what to do. Nothing
is changed, nobody is notified, and no secret is shown.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from wine_slo.config import slo_file
from wine_slo.config.environment import SettingsError, file, read, unknown
from wine_slo.config.slo_file import SloFile
from wine_slo.integrations.peers import ServiceApi, ServiceError, WatchdogApi, WatchdogError
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.telegram.rights import RightsError, TelegramRights
from wine_slo.monitor.commands.finding import Finding, Grade
from wine_slo.monitor.evaluate.objective_checks import check_objectives
from wine_slo.monitor.evaluate.scrape_intervals import ScrapeInterval, scrape_intervals
from wine_slo.monitor.evaluate.slow_queries import known_for
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.model import model_file
from wine_slo.service.model.model_file import ModelFileError
from wine_slo.service.settings import ServerSettings
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.source.clocks import WallClock, ahead
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, SourceInfo, Target
from wine_slo.slo.span import format_span
from wine_slo.slo.text.language import ENGLISH

SKEW = timedelta(seconds=5)  # more between two clocks is seen in messages
MARGIN = 1.1  # of the retention over the budget's window; Prometheus drops whole blocks
SQLITE = "sqlite:///"


Findings = AsyncIterator[Finding]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that is examined."""

    prometheus: MetricSource
    facts: SourceInfo
    service: ServiceApi
    watchdog: WatchdogApi
    telegram: TelegramRights | None
    clock: WallClock


def read_all_settings() -> list[Finding]:
    """Read the settings of both processes."""
    found = read_settings("settings", WatchdogSettings) + read_settings("server", ServerSettings)
    with suppress(SettingsError):  # which has been found
        sentences = unknown(WatchdogSettings, ServerSettings)
        found += [_warning("settings", each, "correct its name, or take it away") for each in sentences]
    return found


def read_settings(about: str, kind: type[WatchdogSettings] | type[ServerSettings]) -> list[Finding]:
    """Return what is found of the settings of one process."""
    try:
        read(kind)
    except SettingsError as error:
        return [
            _wrong(about, line, "write what is wanted into .env or the environment") for line in str(error).split("\n")
        ]
    return [_ok(about, "can be read")]


def read_objectives(settings: WatchdogSettings) -> tuple[SloFile | None, list[Finding]]:
    """Return the objectives, and what is found of their file."""
    about = "objectives"
    try:
        file = slo_file.load(settings.objectives)
    except slo_file.SloFileError as error:
        remedy = "correct that line; slo.schema.json says what can stand there"
        return None, [_wrong(about, each, remedy) for each in error.mistakes]
    objectives = file.objectives()
    names = ", ".join(objectives.by_name)
    findings = [_ok(about, f"{settings.objectives} has the objectives {names}")]
    longest = objectives.longest_poll.total_seconds()
    if settings.poll_seconds > longest:
        findings.append(
            _wrong(
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
        _gather(_prometheus(settings, file, around)),
        _gather(_service(around.service)),
        _gather(_model()),
        _gather(_watchdog(around.watchdog)),
        _gather(_ledger(settings)),
        _gather(_telegram(settings, around.telegram)),
        _gather(_heartbeat(settings)),
        _gather(_secrets(settings)),
    )
    return [finding for part in parts for finding in part]


async def _gather(findings: Findings) -> list[Finding]:
    return [each async for each in findings]


# Prometheus


async def _prometheus(settings: WatchdogSettings, file: SloFile | None, around: Surroundings) -> Findings:
    about = "prometheus"
    try:
        before = around.clock()
        at = (await around.prometheus.query("vector(1)")).at
        after = around.clock()
    except MetricSourceError as error:
        yield _wrong(
            about,
            f"at {settings.prometheus_url}: {error}",
            _remedy(error),
        )
        return
    version = await around.facts.version()
    yield _ok(about, f"answers at {settings.prometheus_url}" + (f", version {version}" if version else ""))
    skew = ahead(at, before, after).total_seconds() if at is not None else 0.0
    if abs(skew) > SKEW.total_seconds():
        yield _warning(
            about,
            f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's",
            "let both keep time by NTP; messages have the times of Prometheus' clock",
        )
    if file is None:
        return
    jobs = sorted({each.job for each in file.objectives().all})
    try:
        intervals = await scrape_intervals(jobs, around.prometheus, around.facts)
    except MetricSourceError as error:
        yield _wrong(about, f"at {settings.prometheus_url}: {error}", _remedy(error))
        return
    objectives = file.objectives({job: each.span for job, each in intervals.items()})
    async for finding in _targets(objectives, await around.facts.targets(), intervals):
        yield finding
    async for finding in _series(file, objectives, around.prometheus):
        yield finding
    async for finding in _history(objectives, await around.facts.retention(), around.prometheus):
        yield finding


def _remedy(error: MetricSourceError) -> str:
    """Return what to do where Prometheus gives no answer that can be trusted."""
    match error.status:
        case 401:
            return "set WINE_SLO_PROMETHEUS_TOKEN, or WINE_SLO_PROMETHEUS_USERNAME and _PASSWORD, to what it knows"
        case 403:
            return "let these credentials query: /api/v1/query and /api/v1/query_range, by GET or POST"
        case 404 | 200:
            return "set WINE_SLO_PROMETHEUS_URL to the root of its API, with the prefix that it has"
        case int(status) if 300 <= status < 400:
            return "set WINE_SLO_PROMETHEUS_URL to the address that answers by itself, with its scheme and prefix"
        case int():
            return "see its log, and that of what stands in front of it"
        case None if error.is_too_much:
            return "see why it takes so long: its load, and what lies between"
        case _:
            return "start it (`make up` does), or set WINE_SLO_PROMETHEUS_URL to the root of its API"


async def _targets(
    objectives: Objectives, targets: Collection[Target] | None, intervals: Mapping[str, ScrapeInterval]
) -> Findings:
    about = "targets"
    if targets is None:
        yield _warning(about, "it does not say what it scrapes", "see in it yourself whether every target answers")
    for job, objective in {each.job: each for each in objectives.all}.items():
        real = intervals.get(job)
        if real is None:
            yield _warning(
                about,
                f"how often {job} is scraped is not known",
                "wait for its third scrape; if it stays so, write scrape_interval into slo.yml",
            )
        elif real.differs_from(objective.scrape_interval):
            yield _other_interval(objective, real.span)
        if targets is None:
            continue
        mine = [each for each in targets if each.job == job]
        if not mine:
            others = ", ".join(sorted({each.job for each in targets})) or "none"
            yield _wrong(
                about,
                f"it scrapes no job {job}; its jobs: {others}",
                f"add the job {job} to prometheus.yml and restart it, or name the right job in slo.yml",
            )
        for each in mine:
            if not each.is_up:
                yield _wrong(
                    about,
                    f"the scrapes of {each.url} of {job} fail: {each.trouble or 'there was none yet'}",
                    "raise that limit in prometheus.yml, or export less"
                    if "limit exceeded" in each.trouble
                    else "start the service, or correct its address in prometheus.yml",
                )
        if mine and all(each.is_up for each in mine):
            every = f", scraped every {format_span(real.span)}" if real else ""
            yield _ok(about, f"{len(mine)} of {job} {'answers' if len(mine) == 1 else 'answer'}{every}")


def _other_interval(objective: Objective, real: timedelta) -> Finding:
    slo, span = format_span(objective.scrape_interval), format_span(real)
    return _wrong(
        "targets",
        f"{objective.job} is scraped every {span}, but slo.yml says scrape_interval: {slo}",
        f"leave scrape_interval out, or write {span}; the watchdog judges interval by interval",
    )


async def _series(file: SloFile, objectives: Objectives, api: MetricSource) -> Findings:
    about = "metrics"
    try:
        mistakes = await check_objectives(api, objectives)
    except MetricSourceError as error:
        yield _warning(about, f"could not be examined: {error}", "try again")
        return
    for each in mistakes:
        where = file.place(each.objective, each.field)
        yield _wrong(
            about,
            f"{where}: {each.field} of {each.objective} {each.sentence}",
            "correct it there, or in the service; a service without requests may have no series yet",
        )
    if not mistakes:
        yield _ok(about, "every series of the objectives exists, and every threshold is a bucket bound")


async def _history(objectives: Objectives, retention: timedelta | None, api: MetricSource) -> Findings:
    about = "history"
    longest = max(objectives.all, key=lambda each: each.window)
    window = format_span(longest.window)
    if retention is not None and retention < longest.window:
        yield _warning(
            about,
            f"Prometheus keeps {format_span(retention)}, and the error budget of {longest.name} is one of {window}",
            f"start it with --storage.tsdb.retention.time={longest.window.days + 5}d",
        )
    try:
        known = await _known(longest, api)
    except MetricSourceError as error:
        yield _warning(about, f"could not be fetched: {error}", "try again")
        return
    if known is None:
        yield _warning(about, "there is none yet", "nothing: it begins with the first scrape")
    elif known < longest.window / MARGIN:
        yield _warning(
            about,
            f"Prometheus knows {longest.job} for {ENGLISH.span(known)}, of the {window} of the error budget",
            "nothing: the rest is assumed to be good, and messages say how much is known",
        )
    else:
        yield _ok(about, f"reaches back over the {window} of the error budget")


async def _known(objective: Objective, api: MetricSource) -> timedelta | None:
    """Return for how long Prometheus knows the job; None where it does not.

    Raises:
        MetricSourceError: It does not say.
    """
    return known_for(await api.query(promql.seconds_of_history(objective)))


# The service and its model


async def _service(service: ServiceApi) -> Findings:
    about = "service"
    try:
        health = await service.health()
    except ServiceError as error:
        yield _wrong(about, str(error), "start it (`make up` does), or set WINE_SLO_SERVICE_URL to its root")
        return
    if health.status != "ok":
        yield _wrong(about, f"cannot predict: {health.reason or health.status}", "`wine-slo train`, then restart it")
        return
    yield _ok(about, f"answers, version {health.version}, model {health.model_version}")
    try:
        card = model_file.read_card(read(ServerSettings).model.with_suffix(".json"))
    except (SettingsError, ModelFileError):
        return  # the model on this machine is examined by itself
    if health.model_sha256 != card.sha256:
        yield _warning(
            about,
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
        yield _wrong(about, str(error), "`wine-slo train` writes both anew")
    else:
        yield _ok(about, f"{path} and its card agree, version {model.card.version}")


# The watchdog


async def _watchdog(watchdog: WatchdogApi) -> Findings:
    about = "watchdog"
    try:
        health = await watchdog.health()
    except WatchdogError as error:
        yield _wrong(about, str(error), "start it (`make up` does), or set WINE_SLO_WATCHDOG_URL to its root")
        return
    for chat, reason in health.unreachable.items():
        yield _wrong(
            about,
            f"cannot reach chat {chat}: {reason}",
            "let the bot write there, or take the chat out of the settings; it is tried again within the hour, at "
            "the next incident, and as soon as any update comes from there",
        )
    if health.status != "ok" and not health.unreachable:
        yield _wrong(about, f"says of itself: {health.status}", "its log says why")
    elif health.status == "ok":
        yield _ok(about, "answers, and evaluates when it should")


async def _ledger(settings: WatchdogSettings) -> Findings:
    about = "ledger"
    path, nearest = _place_of(settings.database_url)
    if nearest is not None:
        if nearest.is_dir() and os.access(nearest, os.W_OK):
            yield _ok(about, f"{path} will be made by the first start of the watchdog")
        else:
            yield _wrong(about, f"{path} cannot be made: {nearest} cannot be written", "change WINE_SLO_DATABASE_URL")
        return
    try:
        await asyncio.to_thread(_try_ledger, settings.database_url)
    except LedgerError as error:
        yield _wrong(about, str(error), "make room or give the rights; until then a restart may repeat messages")
    else:
        yield _ok(about, "can be read and written")


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


# Telegram


async def _telegram(settings: WatchdogSettings, telegram: TelegramRights | None) -> Findings:
    about = "telegram"
    if telegram is None:
        yield _warning(
            about,
            "no token is set: messages are printed by the watchdog instead",
            "make a bot with @BotFather and set WINE_SLO_TELEGRAM_TOKEN",
        )
        return
    try:
        identity = await telegram.identity()
    except RightsError as error:
        if error.is_stranger:
            yield _wrong(about, str(error), "copy it from @BotFather again: digits, a colon, 35 signs")
        else:
            yield _wrong(
                about, f"cannot be reached: {error}", "check the network, or set WINE_SLO_TELEGRAM_PROXY or _API_URL"
            )
        return
    yield _ok(about, f"the token is that of @{identity.username}")
    if identity.has_webhook:
        yield _wrong(
            about,
            "the bot's updates go to a webhook, so that no command is received here",
            "end it with deleteWebhook, or use a bot of its own",
        )
    if not settings.telegram_chat_ids:
        yield _warning(
            about,
            "no chat is set: messages are printed by the watchdog instead",
            f"send /id to @{identity.username} in the chat that is to be notified, and set WINE_SLO_TELEGRAM_CHAT_IDS",
        )
    for chat in (*settings.telegram_chat_ids, *settings.telegram_second_chat_ids):
        async for finding in _chat(chat, telegram):
            yield finding


async def _chat(chat: int, telegram: TelegramRights) -> Findings:
    about = "chat"
    try:
        rights = await telegram.rights(chat)
    except RightsError as error:
        if error.moved_to is not None:
            yield _wrong(
                about,
                f"{chat} has become the supergroup {error.moved_to}",
                f"write {error.moved_to} instead of {chat} into the settings",
            )
        elif error.is_unreachable:
            yield _wrong(about, f"{chat} could not be examined: {error}", "try again")
        else:
            yield _wrong(
                about,
                f"{chat} is not open to the bot: {error}",
                "add the bot to the group, or send it /start in a private chat; /id says the right id",
            )
        return
    name = f"{chat} ({' '.join(rights.title.split())[:60]})"
    if not rights.is_member:
        yield _wrong(about, f"the bot is not in {name}", "add it to the chat")
    elif not rights.may_send:
        yield _wrong(about, f"the bot may not write in {name}", "let it send messages there")
    else:
        yield _ok(about, f"the bot may write in {name}")
        if not rights.may_send_pictures:
            yield _warning(about, f"the bot may not send pictures in {name}", "let it send photos, for the charts")
        if not rights.may_pin:
            yield _warning(about, f"the bot may not pin in {name}", "let it pin messages, for the board")


# The rest


async def _heartbeat(settings: WatchdogSettings) -> Findings:
    if settings.heartbeat_url:
        yield _ok("heartbeat", "is set: an outage of the watchdog itself is detected")
    else:
        yield _warning(
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
        yield _warning("secrets", f"{path} can be read by others on this machine", f"chmod 600 {path}")


def _ok(about: str, sentence: str) -> Finding:
    return Finding(about=about, grade=Grade.OK, sentence=sentence)


def _warning(about: str, sentence: str, remedy: str) -> Finding:
    return Finding(about=about, grade=Grade.WARNING, sentence=sentence, remedy=remedy)


def _wrong(about: str, sentence: str, remedy: str) -> Finding:
    return Finding(about=about, grade=Grade.WRONG, sentence=sentence, remedy=remedy)
