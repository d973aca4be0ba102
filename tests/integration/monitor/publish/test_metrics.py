"""What the watchdog publishes of the objectives: what is known, and nothing of what is not."""

import re
from dataclasses import replace
from datetime import timedelta

import aiohttp

from tests.support.fakes.loopback import Loopback
from tests.support.scene import KEY, LATENCY, START, incident
from wine_slo.monitor.publish.metrics import WatchdogInstruments
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.objectives.window import Calendar, CalendarUnit
from wine_slo.slo.source.deployment import Deployment, Reported

BY = replace(LATENCY, by=("endpoint",))
ONE, TWO = (Key("latency", (("endpoint", name),)) for name in ("/one", "/two"))


def known(*keys: Key, good_ratio: float | None = 0.9) -> State:
    return State(
        tracks={key: KeyState(key=key, since=START, sight_since=START) for key in keys},
        readings={key: Reading(at=START, sight=Sight.CLEAR, good_ratio=good_ratio) for key in keys},
    )


async def published(instruments: WatchdogInstruments, name: str) -> list[str]:
    server = Loopback(instruments.exposition.answer)  # type: ignore[arg-type]
    await server.open()
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as response:
        text = await response.text()
    await server.close()
    return re.findall(rf"^{name}{{(.*)}} .*$", text, flags=re.MULTILINE)


async def test_a_label_set_or_a_value_that_is_no_longer_known_is_no_longer_published() -> None:
    instruments = WatchdogInstruments("1")
    instruments.show(known(ONE, TWO), Objectives.only(BY))
    assert len(await published(instruments, "slo_sli_ratio")) == 2
    instruments.show(known(TWO), Objectives.only(BY))
    (labels,) = await published(instruments, "slo_sli_ratio")
    assert "/two" in labels
    instruments.show(known(TWO, good_ratio=None), Objectives.only(BY))
    assert await published(instruments, "slo_sli_ratio") == []
    assert len(await published(instruments, "slo_state")) == 1


async def test_the_burn_rate_of_a_calendar_window_is_published_under_its_name() -> None:
    calendar = Calendar(CalendarUnit.MONTH)
    objective = replace(LATENCY, window=calendar.nominal, calendar=calendar).with_usual_burns
    budget = Budget(
        history=timedelta(days=1),
        events=1e6,
        bad_ratios={calendar.nominal: 0.05, timedelta(hours=1): 0.1},
        period=calendar.period(START),
    )
    state = known(KEY)
    readings = {KEY: replace(state.readings[KEY], budget=budget)}
    instruments = WatchdogInstruments("1")
    instruments.show(replace(state, readings=readings), Objectives.only(objective))
    found = {re.findall('window="(.*?)"', each)[0] for each in await published(instruments, "slo_burn_rate")}
    assert found == {"month", "1h"}


async def test_what_goes_and_comes_back_is_published_again() -> None:
    instruments = WatchdogInstruments("1")
    for keys in ((KEY,), (), (KEY,)):
        instruments.show(known(*keys), Objectives.only(LATENCY))
        assert len(await published(instruments, "slo_state")) == len(keys)


async def test_deployments_that_were_reported_or_seen_beside_a_breach_are_published_by_service_and_version() -> None:
    instruments = WatchdogInstruments("1")
    opened = incident(change=Deployment(START, before="1.2", after="1.3"))
    starts = incident(number=13, change=Deployment(START, before="", after="", started=1, targets=1))
    state = State(incidents={12: opened, 13: starts})
    reports = [Reported(job="shop", version="2.0", at=START)]
    instruments.show(state, Objectives.only(LATENCY), reports)
    assert sorted(await published(instruments, "watchdog_deployment_timestamp_seconds")) == [
        'service="shop",version="2.0"',
        'service="wine-slo",version="1.3"',
    ]
    instruments.show(State(), Objectives.only(LATENCY))
    assert await published(instruments, "watchdog_deployment_timestamp_seconds") == []
