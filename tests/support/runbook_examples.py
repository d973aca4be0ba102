"""Examples of every message for its section of `docs/runbook.md`, and that page with what the code says in them.

`python -m tests.support.runbook_examples` writes the examples into the page anew.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

from tests.support.action_examples import ANNA, action, silence
from tests.support.message_examples import (
    ALL_DOWN,
    BESIDE,
    BLIND,
    BOUNDS,
    BUDGET,
    CHANGED,
    EXAMPLES,
    FORMATTER,
    OPENED,
    RECOVERED,
    SLOW,
    breach,
    burning,
)
from tests.support.scene import ERRORS, EVERY_KIND, KEY, LATENCY, START, Scene, at, incident, minutes
from wine_slo.config import translations
from wine_slo.monitor.drill.chat_command import announcement, said, stopped
from wine_slo.monitor.drill.means import UNANSWERED
from wine_slo.monitor.drill.result import Drill, Step
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Refusal
from wine_slo.slo.evaluation.engine import DOWN, SIGHT, State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.lease import Leadership, Lease, Taken, Watchdog
from wine_slo.slo.notification.policy import DelayReason
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.notification.runbook import Section
from wine_slo.slo.objectives.objective import BURNS, Key, Objectives
from wine_slo.slo.objectives.window import Calendar, CalendarUnit
from wine_slo.slo.oncall.actions import NO_ACTIONS, ActionKind
from wine_slo.slo.reason import Reason
from wine_slo.slo.source.deployment import Deployment
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter, plain
from wine_slo.slo.text.incidents.breach import breach_text, drill_marked
from wine_slo.slo.text.incidents.group import grouped_text
from wine_slo.slo.text.incidents.reminder import escalated_text, escalation_text, reminder_text
from wine_slo.slo.text.incidents.resolved import closed_text, late_text, recovery_text
from wine_slo.slo.text.objective_detail import no_chart
from wine_slo.slo.text.status_list import takeover_text
from wine_slo.slo.views.board_text import board_ended, board_text
from wine_slo.slo.views.chart_spec import ObjectiveSeries, caption_of
from wine_slo.slo.views.digest_text import Attained, Week, digest_text

Say = Callable[[Formatter], str]

PAGE = Path(__file__).parents[2] / "docs" / "runbook.md"
OBJECTIVES = Objectives(tuple(replace(each, title="Error rate") if each is ERRORS else each for each in EVERY_KIND.all))
ENGLISH = replace(FORMATTER, objectives=OBJECTIVES)
RUSSIAN = replace(ENGLISH, language=translations.load()["ru"])
HOUR = timedelta(hours=1)
ACKNOWLEDGED = NO_ACTIONS.with_more([action(180)])
JOB_DOWN = replace(
    BLIND,
    key=Key(DOWN, (("job", "wine-slo"),)),
    reason=Reason("{count} of {count} targets do not answer", {"count": 3}),
)
FLAPPING = replace(
    JOB_DOWN,
    reason=Reason(
        "even the best of its {targets} targets did not answer {count} of its last {scrapes} scrapes",
        {"count": 24, "scrapes": 60, "targets": 3},
    ),
    openings=3,
    relapses=2,
    again_at=at(120),
    last_bad_at=at(180),
)
ONLY_TARGET = replace(
    FLAPPING,
    reason=Reason("its only target did not answer {count} of its last {scrapes} scrapes", {"count": 30, "scrapes": 63}),
)
JOBS_DOWN = [replace(JOB_DOWN, number=each, key=Key(DOWN, (("job", f"shop-{each}"),))) for each in range(1, 7)]
STALE = replace(
    BLIND,
    key=replace(SIGHT, labels=(("job", "wine-slo"),)),
    reason=Reason("the last sample of {job} is {age} s old", {"job": "wine-slo", "age": 125}),
)
NOT_EVALUATED = replace(
    BLIND,
    key=replace(SIGHT, labels=(("objective", "latency"),)),
    reason=Reason(
        "no bucket of {histogram} ends at {threshold} s", {"histogram": "request_latency_seconds", "threshold": "1.2"}
    ),
)
DRILL = Drill(
    slo="latency",
    does=Reason("Breaking it."),
    sleep_seconds=2,
    requests_per_second=5,
    shows_itself=True,
    spares_budget=True,
    started_at=at(0),
    incident=12,
    steps=tuple(
        Step(name=name, title=name, seconds=took, expected_seconds=expected)
        for name, took, expected in (
            ("scraped", 4.0, 10),
            ("detected", 24.7, 42),
            ("notified", 24.7, 47),
            ("recovered", 23.8, 42),
            ("recovery_notified", 23.8, 47),
        )
    ),
)
OWN_DRILL = replace(DRILL, slo="checkout", shows_itself=False, spares_budget=False)
FAILED_DRILL = replace(DRILL, trouble=UNANSWERED)
OF_JOB = {each.name for each in OBJECTIVES.all if each.job == "wine-slo"}
WEEK = Week(
    first=at(-7 * 86400),
    last=at(0),
    attained=(
        Attained(key=KEY, good_ratio=0.9921, budget=BUDGET),
        Attained(key=Key("errors"), good_ratio=1.0, budget=BUDGET),
        Attained(key=Key("availability"), good_ratio=None, budget=None),
    ),
    incidents=(replace(RECOVERED, began_at=at(-86400), last_bad_at=at(-85540), closed_at=at(-85513)),),
    detected=(timedelta(seconds=27),),
    acknowledged=(timedelta(minutes=2),),
)
SERIES = ObjectiveSeries(key=KEY, first=at(0) - HOUR, last=at(0), step=minutes(1), values={}, rates={})


def without(sight: Sight, names: Collection[str]) -> State:
    """What is known where these objectives cannot be judged, and all others can."""
    readings = {
        Key(each.name): Reading(at=at(185), sight=sight if each.name in names else Sight.CLEAR)
        for each in OBJECTIVES.all
    }
    return State(readings=readings)


def ended(truth: Incident, **changes: object) -> Incident:
    whole: dict[str, object] = {"closed_at": at(400), "last_bad_at": at(400), "outcome": Outcome.RECOVERED}
    return replace(truth, **(whole | changes))  # type: ignore[arg-type]


def watchdog(host: str) -> Watchdog:
    return Watchdog(id=host, host=host, boot="", pid=1, since=at(0))


def took_over(*, is_dead: bool, standbys: tuple[Watchdog, ...] = ()) -> Leadership:
    """Who leads after a takeover."""
    taken = Taken(before=Lease(leader=watchdog("wine-a")), is_dead=is_dead, silent_for=10.2)
    return Leadership(me=watchdog("wine-b"), is_alone=False, standbys=standbys, taken=taken)


def marked(fmt: Formatter) -> str:
    return drill_marked(fmt, breach(SLOW, fmt=fmt), replace(SLOW, is_drill=True), NO_ACTIONS)


def board(fmt: Formatter) -> str:
    return board_text(fmt, Scene().has(0.0, 60).state, at(70))


# The first example of a section is shown whole, of the others the first line.
MESSAGES: dict[Section, tuple[Say, ...]] = {
    Section.LATENCY: (
        lambda fmt: breach(replace(CHANGED, bounds=BOUNDS), fmt=fmt),
        EXAMPLES["a breach that lasts"],
        EXAMPLES["one label set"],
        EXAMPLES["a service that hangs"],
        EXAMPLES["a breach that came back"],
        EXAMPLES["a breach of which nothing more is known"],
    ),
    Section.SLOW_OR_FAILED: (EXAMPLES["slow or failed"],),
    Section.RATIO: (EXAMPLES["failing"],),
    Section.GAUGE: (EXAMPLES["a queue"], EXAMPLES["a probe"], EXAMPLES["a batch job"]),
    Section.UP: (
        EXAMPLES["one of three down"],
        EXAMPLES["three of three down"],
        EXAMPLES["one of three down, each by itself"],
        EXAMPLES["down"],
    ),
    Section.BURN_PAGE: (EXAMPLES["the budget burns"],),
    Section.BURN_TICKET: (EXAMPLES["the budget melts"],),
    Section.DOWN: (
        lambda fmt: breach(JOB_DOWN, after=185, fmt=fmt),
        lambda fmt: breach(FLAPPING, after=360, state=State(evaluated_at=at(360)), fmt=fmt),
    ),
    Section.PROMETHEUS: (EXAMPLES["blind"],),
    Section.STALE: (lambda fmt: breach(STALE, after=185, state=without(Sight.STALE, OF_JOB), fmt=fmt),),
    Section.NOT_EVALUATED: (
        lambda fmt: breach(NOT_EVALUATED, after=185, state=without(Sight.BLIND, {"latency"}), fmt=fmt),
    ),
    Section.LEDGER: (EXAMPLES["the ledger cannot be written"],),
    Section.RESTART: (
        BESIDE["a restart"],
        BESIDE["evaluations that failed"],
        BESIDE["a suspension"],
        BESIDE["a clock that was ahead"],
        BESIDE["a gap, and nothing is open"],
        BESIDE["a gap"],
    ),
    Section.MANY: (
        BESIDE["a storm"],
        BESIDE["the end of a storm"],
        BESIDE["a storm of a part"],
        BESIDE["a storm that is partly over"],
        BESIDE["a storm of objectives"],
        BESIDE["a storm in which each objective breaches once"],
        BESIDE["a storm of services"],
        BESIDE["what is left of a storm of objectives"],
        BESIDE["a storm of slow burns"],
        BESIDE["a reminder of a storm"],
        BESIDE["a reminder of a storm that is partly acknowledged"],
        BESIDE["a reminder of a storm that is acknowledged"],
        BESIDE["an escalation of a storm"],
        BESIDE["an escalation of a storm of objectives"],
        BESIDE["the end of most of a storm"],
        BESIDE["a part of a storm of objectives is over"],
        BESIDE["the end of a storm of objectives"],
        BESIDE["a storm that is closed"],
        BESIDE["a storm that is closed and did not recover"],
        BESIDE["a storm that is no recovery"],
        lambda fmt: grouped_text(fmt, Kind.BREACH, JOBS_DOWN, State(), at(200)),
        lambda fmt: grouped_text(fmt, Kind.RECOVERY, [*map(ended, JOBS_DOWN)], State(), at(200)),
    ),
    Section.KEPT_OPEN: (
        EXAMPLES["no requests"],
        EXAMPLES["too few requests"],
        EXAMPLES["it went down"],
        EXAMPLES["it cannot be seen"],
    ),
    Section.REMINDER: (
        EXAMPLES["reminder"],
        lambda fmt: reminder_text(fmt, incident(value=1.7), at(60 + 4 * 3600), ACKNOWLEDGED),
        EXAMPLES["the last target is down too"],
    ),
    Section.ESCALATION: (
        lambda fmt: escalation_text(fmt, incident(value=1.7), at(60 + 900)),
        lambda fmt: escalated_text(fmt, breach(incident(), after=960, fmt=fmt), minutes(15)),
    ),
    Section.RECOVERY: (
        EXAMPLES["recovery"],
        EXAMPLES["recovery of errors"],
        EXAMPLES["a queue that is short again"],
        EXAMPLES["up again"],
        lambda fmt: recovery_text(fmt, ended(JOB_DOWN), OPENED),
        EXAMPLES["seeing again"],
        lambda fmt: recovery_text(fmt, ended(STALE), OPENED),
        lambda fmt: recovery_text(fmt, ended(NOT_EVALUATED), OPENED),
        EXAMPLES["the ledger is written again"],
        EXAMPLES["the budget lasts again"],
        EXAMPLES["closed"],
        EXAMPLES["closed gauge"],
        EXAMPLES["closed budget"],
        EXAMPLES["closed blindness"],
        EXAMPLES["the ledger was written again"],
    ),
    Section.NO_RECOVERY: (
        EXAMPLES["expired"],
        EXAMPLES["withdrawn"],
        lambda fmt: closed_text(fmt, ended(JOB_DOWN, outcome=Outcome.WITHDRAWN)),
    ),
    Section.LATE: (
        EXAMPLES["missed"],
        lambda fmt: late_text(fmt, RECOVERED, State(), DelayReason.SILENCE),
        lambda fmt: late_text(fmt, RECOVERED, State(), DelayReason.QUIET_HOURS),
        BESIDE["a storm that was missed"],
        BESIDE["a storm that was missed and did not recover"],
    ),
    Section.CHAT_UNREACHABLE: (
        lambda fmt: Replies(fmt).unreachable(Address.of("telegram", -1001234), "Forbidden: bot was kicked"),
    ),
    Section.NO_COMMANDS: (
        lambda fmt: Replies(fmt).conflict(has_webhook=False),
        lambda fmt: Replies(fmt).conflict(has_webhook=True),
    ),
    Section.TAKEOVER: (
        lambda fmt: takeover_text(fmt, took_over(is_dead=False), at(0), at(14)),
        lambda fmt: takeover_text(fmt, took_over(is_dead=True, standbys=(watchdog("wine-c"),)), at(0), at(14)),
    ),
    Section.SILENCE: (
        lambda fmt: Replies(fmt).announced([silence(60, until=3660, reason="deploying")], at(60)),
        lambda fmt: Replies(fmt).announced([silence(60, objective="latency", incidents=((12, 1),))], at(60)),
        lambda fmt: Replies(fmt).announced_end(ANNA, [silence(60, until=3660)]),
    ),
    Section.DRILL: (
        lambda fmt: announcement(fmt, ANNA, DRILL, minutes(3)),
        lambda fmt: announcement(fmt, ANNA, OWN_DRILL, minutes(3)),
        marked,
        lambda fmt: said(DRILL, fmt),
        lambda fmt: said(FAILED_DRILL, fmt),
        lambda fmt: stopped(fmt, ANNA),
    ),
    Section.CHART: (
        lambda fmt: caption_of(SERIES, fmt, Scene().has(0.0, 60).state, at(70)),
        lambda fmt: no_chart(fmt, Reason("it took longer than {seconds} s", {"seconds": 25})),
    ),
    Section.BOARD: (board, board_ended),
    Section.DIGEST: (lambda fmt: digest_text(fmt, WEEK),),
    Section.ANSWER: (
        lambda fmt: Replies(fmt).refused(Refusal.NO_ADMIN, ANNA),
        lambda fmt: Replies(fmt).too_often(20),
        lambda fmt: Replies(fmt).too_old(),
        lambda fmt: Replies(fmt).not_written(),
        lambda fmt: Replies(fmt).failed(),
    ),
}

KNOWN_SHORT = replace(BUDGET, history=timedelta(days=9))
GONE = replace(BUDGET, bad_ratios={**BUDGET.bad_ratios, timedelta(days=30): 0.06})
CALENDAR = Calendar(CalendarUnit.MONTH, UTC)
MONTHLY = replace(LATENCY, window=CALENDAR.nominal, calendar=CALENDAR)
NEW = replace(BUDGET, history=minutes(100), period=MONTHLY.period(START.replace(hour=1)))
LOST = replace(BLIND, began_at=at(-900), last_bad_at=at(-780), closed_at=at(-780), outcome=Outcome.RECOVERED)
STARTED = Deployment(at(0), "", "", targets=3, started=1)


def acted(fmt: Formatter, truth: Incident) -> str:
    """A breach or its end, acknowledged."""
    if truth.is_open:
        return breach_text(fmt, truth, OPENED, State(), at(240), ACKNOWLEDGED)
    return recovery_text(fmt, truth, OPENED, ACKNOWLEDGED)


def named_drill(fmt: Formatter) -> str:
    drill = action(30, ActionKind.DRILL, objective="latency", until=at(210))
    return drill_marked(fmt, "🔴", incident(is_announced_drill=True), NO_ACTIONS.with_more([drill]))


def held(number: int) -> Incident:
    return incident(number=number, held=Sight.TARGET_DOWN)


# What else these messages can say, for which no example has room: other lines, other numbers.
VARIANTS: tuple[Say, ...] = (
    lambda fmt: acted(fmt, SLOW),
    lambda fmt: acted(fmt, replace(RECOVERED, unjudged_for=minutes(3))),
    lambda fmt: recovery_text(fmt, replace(RECOVERED, value=None), OPENED),
    lambda fmt: breach(replace(SLOW, change=Deployment(at(0), "", "1.4")), fmt=fmt),
    lambda fmt: breach(replace(SLOW, change=STARTED), fmt=fmt),
    lambda fmt: breach(replace(SLOW, change=replace(STARTED, targets=1)), fmt=fmt),
    lambda fmt: breach(ONLY_TARGET, after=360, state=State(evaluated_at=at(360)), fmt=fmt),
    lambda fmt: breach(replace(SLOW, budget=KNOWN_SHORT), fmt=fmt),
    lambda fmt: breach(replace(SLOW, budget=GONE), fmt=fmt),
    lambda fmt: breach(ALL_DOWN, state=State(incidents={each: held(each) for each in range(1, 6)}), fmt=fmt),
    lambda fmt: reminder_text(fmt, burning(BURNS[0]), at(5 * 3600)),
    lambda fmt: closed_text(fmt, ended(JOB_DOWN)),
    lambda fmt: closed_text(fmt, ended(NOT_EVALUATED)),
    lambda fmt: grouped_text(
        fmt, Kind.RECOVERY, [ended(each, outcome=Outcome.WITHDRAWN) for each in JOBS_DOWN], State(), at(200)
    ),
    lambda fmt: grouped_text(fmt, Kind.BREACH, [ended(JOBS_DOWN[0]), *JOBS_DOWN[1:]], State(), at(300)),
    lambda fmt: grouped_text(fmt, Kind.REMINDER, JOBS_DOWN, State(), at(15000)),
    lambda fmt: digest_text(fmt, replace(WEEK, attained=WEEK.attained * 20)),
    lambda fmt: digest_text(fmt, replace(WEEK, incidents=(), trouble=Reason("connection refused"))),
    lambda fmt: digest_text(fmt, replace(WEEK, incidents=(LOST,))),
    lambda fmt: digest_text(fmt, replace(WEEK, incidents=(replace(RECOVERED, is_drill=True),))),
    lambda fmt: breach(replace(SLOW, budget=NEW), fmt=replace(fmt, objectives=Objectives.only(MONTHLY))),
    named_drill,
)

BLOCK = re.compile(r'(<a id="([\w-]+)"></a>\n.*?```text\n)(.*?)(\n```\n.*?```text\n)(.*?)(\n```\n)', re.DOTALL)


def examples(section: Section, fmt: Formatter) -> str:
    """What the page shows of a section in one language: the first message whole, of each other one the first line."""
    first, *others = (plain(say(fmt)) for say in MESSAGES[section])
    return "\n\n".join([first, *map(_head, others)])


def _head(text: str) -> str:
    """The first line, and the second where the first says only that it is about a drill."""
    first, *others = text.split("\n")
    return "\n".join([first, *others[: first.startswith("🟠")]])


def rewritten(page: str) -> str:
    """The page, with the examples as the code makes them."""

    def block(found: re.Match[str]) -> str:
        section = Section(found[2])
        return f"{found[1]}{examples(section, ENGLISH)}{found[4]}{examples(section, RUSSIAN)}{found[6]}"

    return BLOCK.sub(block, page)


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
