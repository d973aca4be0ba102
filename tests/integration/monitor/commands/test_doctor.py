"""What a first start gets wrong, each with what to do about it; and no secret in any of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.support.app_server import AppServer
from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import (
    EMPTY_VECTOR,
    JUNK,
    PrometheusJunk,
    matrix,
    one_each,
    pods_of,
    targets,
    vector,
)
from tests.support.real.prometheus import free_port
from wine_slo.config.setting_types import BotToken, ChatAddress
from wine_slo.config.slo_file import SloFile, parse
from wine_slo.integrations.peers import ServiceApi, WatchdogApi
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.setting_types import DatabaseUrl
from wine_slo.integrations.telegram import connection
from wine_slo.integrations.telegram.rights import TelegramRights
from wine_slo.monitor.commands.doctor import Surroundings, check_all, read_objectives, read_settings
from wine_slo.monitor.commands.finding import Finding, Grade
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings
from wine_slo.slo.source.clocks import WallTime

GROUP, SUPERGROUP, MOVED, PERSON, STRANGER = -5, -1005, -6, 7, 8
ROOT = Path(__file__).parents[4]
FILE = parse(
    "job: wine-slo\nobjectives:\n  - {name: latency, kind: latency, objective: 0.95, threshold: 1s, "
    "histogram: request_latency_seconds}\n"
)


@dataclass
class Patient:
    """A set-up in which nothing answers but what a test gives it."""

    session: aiohttp.ClientSession
    bot_api: BotApi
    settings: WatchdogSettings
    token: str
    prometheus_url: str

    async def lines_about(self, about: str, file: SloFile | None = None, *, telegram: bool = False) -> list[str]:
        """What is found about something, a line each."""
        return lines(await self.findings(file, telegram=telegram), about)

    async def findings(
        self, file: SloFile | None = None, *, telegram: bool = False, service: str = "", named: bool = True
    ) -> list[Finding]:
        """All that is found."""
        nobody = f"http://127.0.0.1:{free_port()}"
        rights = TelegramRights(connection.connect(self.token, self.bot_api.url))
        found = await check_all(
            self.settings,
            file,
            Surroundings(
                {
                    url: (PrometheusClient(self.session, url, {}), PrometheusFacts(self.session, url, {}))
                    for url in self.prometheus_url.split(",")
                },
                ServiceApi(self.session, service or nobody),
                WatchdogApi(self.session, nobody),
                rights if telegram else None,
                lambda: WallTime(datetime.now(UTC)),
                is_service_named=named,
            ),
        )
        await rights.close()
        assert self.token not in repr(found)
        assert all(each.remedy for each in found if each.grade is not Grade.OK)
        return found


def lines(found: list[Finding], about: str) -> list[str]:
    return [f"{each.grade}: {each.sentence}" for each in found if each.about == about]


@pytest.fixture
async def patient(
    bot_api: BotApi, prometheus_junk: PrometheusJunk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Patient]:
    monkeypatch.chdir(tmp_path)
    async with aiohttp.ClientSession() as session:
        yield Patient(session, bot_api, WatchdogSettings(), bot_api.token, prometheus_junk.url)


def with_chats(*chats: int, second: int | None = None) -> WatchdogSettings:
    return WatchdogSettings(
        telegram_chat_ids=tuple(ChatAddress(str(each)) for each in chats),
        telegram_second_chat_ids=(ChatAddress(str(second)),) if second else (),
        telegram_token=BotToken("1:x"),
    )


# Settings and objectives


def test_each_mistake_in_the_settings_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_POLL_SECONDS", "often")
    monkeypatch.setenv("WINE_SLO_TELEGRAM_CHAT_IDS", "anna")
    assert lines(read_settings("settings", WatchdogSettings), "settings") == [
        "wrong: WINE_SLO_POLL_SECONDS is 'often'; wanted: a number of seconds from 1 to 3600",
        "wrong: WINE_SLO_TELEGRAM_CHAT_IDS is 'anna'; wanted: chat ids separated by commas; send the bot /id",
    ]


def test_a_burn_factor_that_can_never_fire_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "slo.yml"
    path.write_text(
        "job: a\nobjectives:\n  - name: up\n    kind: up\n    objective: 0.9\n    burns:\n"
        "      - {budget: 0.5, long: 1h, short: 5m, alert: page}\n"
    )
    objectives, found = read_objectives(WatchdogSettings(objectives=path))
    assert objectives is None
    assert lines(found, "objectives")[0].startswith(f"wrong: {path}:7: objectives.0.burns.0 can never fire")


def test_a_poll_as_slow_as_blindness_is_reported() -> None:
    settings = WatchdogSettings(objectives=ROOT / "config" / "slo.yml", poll_seconds=90)
    _, found = read_objectives(settings)
    assert lines(found, "objectives")[1] == (
        "wrong: the watchdog evaluates every 90 s, and monitoring counts as lost after 120 s"
    )


# Prometheus


async def test_a_clock_that_is_off_is_reported(patient: Patient, prometheus_junk: PrometheusJunk) -> None:
    late = datetime.now(UTC) - timedelta(minutes=2)
    prometheus_junk.answer = vector((late.timestamp(), "1"))
    said = await patient.lines_about("prometheus")
    assert said[1].startswith("warning: its clock is 12")
    assert said[1].endswith(" s behind this machine's")


@pytest.mark.parametrize(("hidden", "is_reported"), [(30, True), (5, False), (0, False)])
async def test_a_source_that_repeats_older_points_in_place_of_the_newest_is_reported(
    patient: Patient, prometheus_junk: PrometheusJunk, hidden: int, *, is_reported: bool
) -> None:
    now = int(datetime.now(UTC).timestamp())
    shown = ((now - age, str(now - max(age, hidden))) for age in range(60, -1, -5))
    prometheus_junk.answer = vector((now, "1"))
    prometheus_junk.by_query["time()"] = matrix(list(shown))
    said = await patient.lines_about("prometheus")
    assert said[1:] == ["wrong: it hides the newest 30 s, and repeats older points in their place"] * is_reported


@pytest.mark.parametrize(("age", "is_reported"), [(19, False), (34, True)])
async def test_newest_samples_that_are_too_old_to_judge_by_are_reported(
    patient: Patient, prometheus_junk: PrometheusJunk, age: int, *, is_reported: bool
) -> None:
    now = int(datetime.now(UTC).timestamp())
    prometheus_junk.answer = vector((now, "1"))
    prometheus_junk.targets = targets("5s", "wine-slo")
    prometheus_junk.by_query['timestamp(up{job="wine-slo"})'] = vector((now, str(now - 60)), (now, str(now - age)))
    said = [each for each in await patient.lines_about("prometheus", FILE) if each.startswith("wrong")]
    assert said == ["wrong: the newest sample of wine-slo is 34 s old, and it is scraped every 5s"] * is_reported


async def test_what_speaks_only_the_query_api_is_enough(patient: Patient, prometheus_junk: PrometheusJunk) -> None:
    prometheus_junk.answer = EMPTY_VECTOR
    patient.settings.objectives.parent.mkdir()
    patient.settings.objectives.write_text((ROOT / "config" / "slo.yml").read_text())
    assert await patient.lines_about("targets", FILE) == [
        "warning: it does not say what it scrapes",
        "warning: how often wine-slo is scraped is not known",
    ]
    assert (await patient.lines_about("metrics", FILE))[0].endswith(
        "histogram of latency has no series request_latency_seconds_bucket that Prometheus knows"
    )
    assert await patient.lines_about("history", FILE) == ["warning: there is none yet"]


async def test_each_scrape_interval_that_is_written_and_not_the_real_one_is_reported(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.targets = targets("15s", "wine-slo", "other")
    first, second, third, last = (f"  - {{name: {each}, kind: up, objective: 0.9" for each in "abcd")
    written = f"{first}, scrape_interval: 5s}}\n{second}, scrape_interval: 3s}}\n{third}}}\n{last}, job: other}}\n"
    assert await patient.lines_about("targets", parse(f"job: wine-slo\nobjectives:\n{written}")) == [
        "wrong: wine-slo is scraped every 15s, but slo.yml says scrape_interval: 5s",
        "wrong: wine-slo is scraped every 15s, but slo.yml says scrape_interval: 3s",
        "ok: 1 of wine-slo answers, scraped every 15s",
        "ok: 1 of other answers, scraped every 15s",
    ]


async def test_what_cannot_be_judged_at_the_real_scrape_interval_is_reported_with_its_line(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.targets = targets("20m", "wine-slo")
    found = await patient.findings(
        parse("job: wine-slo\nobjectives: [{name: a, kind: up, objective: 0.9, window: 1h}]")
    )
    assert lines(found, "objectives") == [
        (
            "wrong: slo.yml:2: objectives.0.window is 1h; it must be longer than over, which is 100m at "
            "scrape_interval: 20m"
        )
    ]


async def test_prometheus_away_is_one_line(patient: Patient, prometheus_junk: PrometheusJunk) -> None:
    await prometheus_junk.goes_down()
    (said,) = await patient.lines_about("prometheus", FILE)
    assert said.startswith(f"wrong: at {patient.prometheus_url}: it cannot be reached")


async def test_each_of_several_prometheus_is_examined_and_what_is_so_of_one_alone_is_named(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    file = parse("job: api\nobjectives: [{name: a, kind: up, objective: 0.9}]")
    prometheus_junk.targets = targets("15s", "api")
    async with PrometheusJunk() as second:
        patient.prometheus_url = f"{prometheus_junk.url},{second.url}"
        second.targets = targets("15s", "web")
        assert await patient.lines_about("targets", file) == [
            f"ok: of {prometheus_junk.url}: 1 of api answers, scraped every 15s",
            f"warning: of {second.url}: how often api is scraped is not known",
            f"wrong: of {second.url}: it scrapes no job api; its jobs: web",
        ]
        await second.goes_down()
        first, other = await patient.lines_about("prometheus", file)
    assert first.startswith(f"ok: answers at {prometheus_junk.url}")
    assert other.startswith(f"wrong: at {second.url}: it cannot be reached")


@pytest.mark.parametrize(
    ("junk", "remedy"),
    [
        ("401, no credentials", "set WINE_SLO_PROMETHEUS_TOKEN"),
        ("403, a page of a filter", "let these credentials query"),
        ("404, a page of another server", "set WINE_SLO_PROMETHEUS_URL to the root of its API"),
        ("a page of HTML", "set WINE_SLO_PROMETHEUS_URL to the root of its API"),
        ("302, another host", "set WINE_SLO_PROMETHEUS_URL to the address that answers by itself"),
        ("500 without a word", "see its log"),
    ],
)
async def test_the_advice_about_prometheus_fits_its_answer(
    patient: Patient, prometheus_junk: PrometheusJunk, junk: str, remedy: str
) -> None:
    prometheus_junk.answer = JUNK[junk]
    (finding,) = [each for each in await patient.findings(FILE) if each.about == "prometheus"]
    assert finding.grade is Grade.WRONG
    assert finding.remedy.startswith(remedy)


@pytest.mark.parametrize("value", ["1e18", "-1", "1e10"])
async def test_a_history_that_cannot_be_is_a_finding(
    patient: Patient, prometheus_junk: PrometheusJunk, value: str
) -> None:
    prometheus_junk.answer = vector((datetime.now(UTC).timestamp(), value))
    patient.settings.objectives.parent.mkdir(exist_ok=True)
    patient.settings.objectives.write_text((ROOT / "config" / "slo.yml").read_text())
    (said,) = await patient.lines_about("history", FILE)
    assert said.startswith("warning: could not be fetched: its answer has ")


# What the objectives name


RATIO = parse(
    "job: shop\nobjectives:\n  - {name: errors, kind: ratio, objective: 0.99, "
    'bad: \'x_total{job="shop", status=~"5.."}\', total: \'x_total{job="shop"}\'}\n'
)
ONE = vector((1.0, "1"))


def knows_series(prometheus: PrometheusJunk, *statuses: str) -> None:
    """Have it know the total, but nothing bad, with these values of the label `status`."""
    prometheus.by_query |= {
        'count(x_total{job="shop", status=~"5.."})': EMPTY_VECTOR,
        "count(x_total": ONE,
        'count(x_total{status=~"5.."})': EMPTY_VECTOR,
        "count by (job) (x_total)": vector((1.0, "1"), job="shop"),
        "count by (status)": one_each("status", *statuses),
        "topk(1, x_total": vector((1.0, "1"), job="shop", method="get", result="ok"),
    }


async def test_failures_that_never_happened_are_no_mistake(patient: Patient, prometheus_junk: PrometheusJunk) -> None:
    knows_series(prometheus_junk, "200", "404")
    assert await patient.lines_about("metrics", RATIO) == [
        "ok: slo.yml:3: bad of errors matches no series yet, as is so until the first such event; status is 200, 404"
    ]


@pytest.mark.parametrize(
    ("statuses", "why"),
    [
        (["S200"], None),
        (["2xx", "4xx"], None),
        ([], "names the label status, which these series do not have: method, result"),
    ],
)
async def test_failures_that_can_never_be_counted_are_a_mistake(
    patient: Patient, prometheus_junk: PrometheusJunk, statuses: list[str], why: str | None
) -> None:
    knows_series(prometheus_junk, *statuses)
    (said,) = await patient.lines_about("metrics", RATIO)
    assert said.startswith("wrong: ") == (why is not None)
    assert why is None or said.endswith(f"matches no series that Prometheus knows: it {why}")


async def test_a_total_without_series_is_a_mistake_and_so_is_what_is_bad_of_it(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.answer = EMPTY_VECTOR
    assert [line.split(" of ")[0] for line in await patient.lines_about("metrics", RATIO)] == [
        "wrong: slo.yml:3: total",
        "wrong: slo.yml:3: bad",
    ]


async def test_a_query_that_is_refused_hides_no_other_mistake(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    file = parse(
        "job: shop\nobjectives:\n"
        "  - {name: odd, kind: ratio, objective: 0.99, bad: odd_total, total: odd_total}\n"
        "  - {name: slow, kind: latency, objective: 0.9, threshold: 1s, histogram: none_seconds}\n"
    )
    prometheus_junk.answer = EMPTY_VECTOR
    prometheus_junk.by_query["count(odd_total)"] = JUNK["400, a query it cannot parse"]
    said = await patient.lines_about("metrics", file)
    assert [line.split(" of ")[0] for line in said] == [
        "wrong: slo.yml:3: total",
        "wrong: slo.yml:3: bad",
        "wrong: slo.yml:4: histogram",
    ]
    assert "cannot be examined: Prometheus: it answered 400" in said[0]


async def test_many_targets_that_fail_are_one_line(patient: Patient, prometheus_junk: PrometheusJunk) -> None:
    pods = [(f"http://10.0.0.{number}:80/metrics", number < 20) for number in range(200)]
    prometheus_junk.targets = pods_of("wine-slo", pods)
    (down,) = [each for each in await patient.findings(FILE) if each.about == "targets"]
    assert (down.grade, down.sentence) == (
        Grade.WARNING,
        "180 of 200 targets of wine-slo fail: http://10.0.0.20:80/metrics (refused), "
        + ", ".join(f"http://10.0.0.{number}:80/metrics" for number in range(21, 27))
        + " and 173 more",
    )


async def test_jobs_that_nothing_would_alert_on_are_named(patient: Patient, prometheus_junk: PrometheusJunk) -> None:
    prometheus_junk.targets = targets("5s", "wine-slo", "node", "mail")
    assert await patient.lines_about("coverage", FILE) == [
        "ok: no objective is about mail, node: nothing would alert if they were down"
    ]


async def test_a_job_whose_outage_is_switched_off_is_reported_unless_an_objective_is_about_it(patient: Patient) -> None:
    entries = "{name: a, kind: ratio, objective: 0.9, bad: x, total: x, job: shop}, {name: b, kind: up, objective: 0.9}"
    file = parse(f"job: node\ntarget_down: off\nobjectives: [{entries}]\n")
    assert await patient.lines_about("coverage", file) == [
        "warning: nothing would alert if shop were down: target_down is off"
    ]


async def test_what_a_prober_finds_is_not_covered_by_its_own_up(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    file = parse("job: blackbox\nobjectives: [{name: probes, kind: up, objective: 0.99}]")
    prometheus_junk.by_query['count(probe_success{job="blackbox"})'] = ONE
    assert await patient.lines_about("coverage", file) == [
        "warning: up of blackbox says that its exporter answers, and nothing of what it probes"
    ]
    both = parse(
        "job: blackbox\nobjectives:\n  - {name: up, kind: up, objective: 0.99}\n"
        "  - {name: probes, kind: gauge, objective: 0.99, good: probe_success == 1}\n"
    )
    assert await patient.lines_about("coverage", both) == []


async def test_what_pushes_has_samples_and_no_target(patient: Patient, prometheus_junk: PrometheusJunk) -> None:
    file = parse(
        "up: none\nobjectives: [{name: orders, kind: ratio, objective: 0.9, bad: failed_total, total: all_total}]"
    )
    prometheus_junk.targets = targets("15s", "wine-slo")
    unknown = "warning: how often all_total is scraped is not known"
    assert await patient.lines_about("targets", file) == [unknown, "wrong: Prometheus has no sample of all_total"]
    prometheus_junk.by_query["count(all_total)"] = ONE
    assert await patient.lines_about("targets", file) == [unknown, "ok: there are samples of all_total"]


async def test_targets_of_a_selector_are_those_of_the_jobs_that_it_matches(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.targets = targets("15s", "api-a", "api-b", "other")
    file = parse("up: 'up{job=~\"api-.*\"}'\nobjectives: [{name: a, kind: up, objective: 0.9}]")
    prometheus_junk.by_query['count(up{job=~"api-.*"})'] = ONE
    assert await patient.lines_about("targets", file) == ["ok: 2 of api-.* answer, scraped every 15s"]
    of_a_cluster = parse("up: 'up{cluster=\"eu\"}'\nobjectives: [{name: a, kind: up, objective: 0.9}]")
    prometheus_junk.by_query['count(up{cluster="eu"})'] = ONE
    assert await patient.lines_about("targets", of_a_cluster) == [
        "warning: how often cluster=eu is scraped is not known",
        'ok: there are samples of up{cluster="eu"}',
    ]


async def test_each_job_of_a_list_must_be_scraped(patient: Patient, prometheus_junk: PrometheusJunk) -> None:
    prometheus_junk.targets = targets("15s", "api", "web")
    file = parse("job: [api, wbe]\nobjectives: [{name: a, kind: up, objective: 0.9}]")
    assert await patient.lines_about("targets", file) == [
        "wrong: it scrapes no job wbe; its jobs: api, web",
        "ok: 1 of api, wbe answers, scraped every 15s",
    ]
    selected = parse("up: 'up{job=~\"a.i|wbe\"}'\nobjectives: [{name: a, kind: up, objective: 0.9}]")
    prometheus_junk.by_query['count(up{job=~"a.i|wbe"})'] = ONE
    assert (await patient.lines_about("targets", selected))[0] == "wrong: it scrapes no job wbe; its jobs: api, web"


async def test_an_up_that_selects_no_series_of_a_job_that_is_scraped_is_wrong(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.targets = targets("15s", "api")
    file = parse("up: 'api_up{job=\"api\"}'\nobjectives: [{name: a, kind: up, objective: 0.9}]")
    assert await patient.lines_about("targets", file) == ['wrong: Prometheus has no sample of api_up{job="api"}']


async def test_deployments_that_show_no_version_are_warned_of(
    patient: Patient, prometheus_junk: PrometheusJunk
) -> None:
    file = parse(
        "job: api\ndeployments: [{selector: api_info, label: version}]\n"
        "objectives: [{name: a, kind: up, objective: 0.9}]"
    )
    assert await patient.lines_about("deployments", file) == ["warning: api_info has no series"]
    prometheus_junk.by_query["topk(1, api_info)"] = ONE
    assert await patient.lines_about("deployments", file) == ["warning: api_info has no label version: "]


# Telegram


async def test_without_a_token_messages_are_printed(patient: Patient) -> None:
    assert await patient.lines_about("telegram") == [
        "warning: no token is set: messages are printed by the watchdog instead"
    ]


async def test_a_token_that_telegram_does_not_know_is_reported_without_showing_it(patient: Patient) -> None:
    patient.token = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALwrong"
    assert await patient.lines_about("telegram", telegram=True) == ["wrong: Telegram does not know the token"]


async def test_what_answers_instead_of_telegram_is_not_blamed_on_the_chat(patient: Patient) -> None:
    patient.bot_api.chat(PERSON)
    patient.settings = with_chats(PERSON)
    for status, body in ((403, "<html>Forbidden</html>"), (200, '{"ok":true,"result":true}'), (200, "[]")):
        patient.bot_api.answers_with(status, body, methods=["getChat"])
        (said,) = await patient.lines_about("chat", telegram=True)
        assert said.startswith("wrong: 7 could not be examined: "), said
        patient.bot_api.recovers()


async def test_telegram_away_is_reported(patient: Patient) -> None:
    await patient.bot_api.refuses_connections()
    (said,) = await patient.lines_about("telegram", telegram=True)
    assert said == "wrong: cannot be reached: it cannot be reached (ConnectError)"


async def test_a_webhook_and_no_chat_are_reported(patient: Patient) -> None:
    patient.bot_api.webhook = "https://example.org/hook"
    assert await patient.lines_about("telegram", telegram=True) == [
        "ok: the token is that of @wine_slo_bot",
        "wrong: the bot's updates go to a webhook, so that no command is received here",
        "warning: no chat is set: messages are printed by the watchdog instead",
    ]


async def test_each_chat_says_what_the_bot_may_do_there(patient: Patient) -> None:
    api = patient.bot_api
    bot_id = int(api.token.split(":")[0])
    for chat in (PERSON, GROUP, SUPERGROUP, MOVED):
        api.chat(chat)
    api.migrates(MOVED, -1006)
    api.chat(SUPERGROUP).members[bot_id] = "administrator"
    api.chat(SUPERGROUP).rights[bot_id] = {"can_pin_messages"}
    patient.settings = with_chats(PERSON, GROUP, SUPERGROUP, MOVED, second=STRANGER)
    assert await patient.lines_about("chat", telegram=True) == [
        "ok: the bot may write in 7 (Person 7)",
        "ok: the bot may write in -5 (Chat -5)",
        "warning: the bot may not pin in -5 (Chat -5)",
        "ok: the bot may write in -1005 (Chat -1005)",
        "wrong: -6 has become the supergroup -1006",
        "wrong: 8 is not open to the bot: Chat not found",
    ]


async def test_a_chat_in_which_the_bot_is_not_or_may_not_write_is_reported(patient: Patient) -> None:
    api = patient.bot_api
    bot_id = int(api.token.split(":")[0])
    api.chat(GROUP).members[bot_id] = "left"
    api.chat(SUPERGROUP).members[bot_id] = "restricted"
    patient.settings = with_chats(GROUP, SUPERGROUP)
    assert await patient.lines_about("chat", telegram=True) == [
        "wrong: the bot is not in -5 (Chat -5)",
        "wrong: the bot may not write in -1005 (Chat -1005)",
    ]
    api.chat(SUPERGROUP).rights[bot_id] = {"can_send_messages"}
    patient.settings = with_chats(SUPERGROUP)
    assert await patient.lines_about("chat", telegram=True) == [
        "ok: the bot may write in -1005 (Chat -1005)",
        "warning: the bot may not send pictures in -1005 (Chat -1005)",
        "warning: the bot may not pin in -1005 (Chat -1005)",
    ]


# The ledger, the model, the rest


async def test_a_ledger_that_cannot_be_written_is_reported(patient: Patient, tmp_path: Path) -> None:
    Ledger.open(f"sqlite:///{tmp_path}/there.db").close()
    (tmp_path / "junk.db").write_text("this is no database" * 100)
    (tmp_path / "file").touch()
    for name, said in (
        ("there.db", "ok: can be read and written"),
        ("not/yet.db", "ok: not/yet.db will be made by the first start of the watchdog"),
        ("file/below.db", f"wrong: file/below.db cannot be made: {tmp_path}/file cannot be written"),
        ("junk.db", "cannot be opened: file is not a database"),
    ):
        patient.settings = WatchdogSettings(database_url=DatabaseUrl(f"sqlite:///{name}"))
        (found,) = await patient.lines_about("ledger")
        assert found.endswith(said)
    assert Ledger.open("sqlite:///there.db").load().records == ()
    assert not (tmp_path / "not").exists()


async def test_a_service_that_the_settings_name_and_that_is_away_is_reported(patient: Patient) -> None:
    (service,) = await patient.lines_about("service")
    assert service.endswith("cannot be reached: is it running?")
    (watchdog,) = await patient.lines_about("watchdog")
    assert watchdog.endswith("cannot be reached: is it running?")


async def test_a_service_without_its_model_is_reported(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINE_SLO_MODEL", "none.pkl")
    server = AppServer(create_app(ServerSettings(model=tmp_path / "none.pkl")))
    await server.start_server()
    for named in (True, False):
        found = await patient.findings(service=str(server.make_url("/")), named=named)
        (service,) = lines(found, "service")
        assert service.startswith("wrong: cannot predict: ")
        assert lines(found, "model") == [
            "wrong: none.json cannot be read (No such file or directory); `wine-slo train` writes it"
        ]
    await server.close()


async def test_where_another_service_is_watched_nothing_is_said_of_ours(patient: Patient) -> None:
    app = web.Application()
    app.router.add_get("/health", another)
    server = AppServer(app)
    await server.start_server()
    for service, named in (("", False), (str(server.make_url("/")), False), (str(server.make_url("/")), True)):
        found = await patient.findings(service=service, named=named)
        assert not lines(found, "service") + lines(found, "model") + lines(found, "server")
    await server.close()


async def another(_request: web.Request) -> web.Response:
    return web.json_response({"status": "UP"})


@pytest.fixture
def env(patient: Patient) -> Path:
    """The file of settings, beside which everything runs."""
    path = Path(".env")
    path.write_text("WINE_SLO_TELEGRAM_TOKEN=1:x\n")
    patient.settings = with_chats()
    return path


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        pytest.param(0o644, ["warning: .env can be read by others on this machine"], id="by others"),
        pytest.param(0o600, [], id="by us alone"),
    ],
)
async def test_secrets_that_others_can_read_are_warned_of(
    patient: Patient, env: Path, mode: int, said: list[str]
) -> None:
    await asyncio.to_thread(env.chmod, mode)
    assert await patient.lines_about("secrets") == said


async def test_a_dead_mans_switch_is_recommended(patient: Patient) -> None:
    assert (await patient.lines_about("heartbeat"))[0].startswith("warning: is not set")
