"""Examples of every message, and drawn ones, for the tests of each language."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.support.fakes.telegram_html import visible_text
from tests.support.scene import (
    ALL,
    CHAT,
    EVERY_KIND,
    KEY,
    at,
    incident,
    minutes,
)
from wine_slo.slo.attribution.attribution import Attribution, Breakdown, Cause, Share
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.engine import GAP, LEDGER, SIGHT, State
from wine_slo.slo.evaluation.incident import Incident, Interruption, Opening, Outcome
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import BURNS, Alert, Burn, Key
from wine_slo.slo.oncall.actions import Action, ActionKind, Actions, Silence
from wine_slo.slo.reason import Reason
from wine_slo.slo.source.deployment import Deployment
from wine_slo.slo.text.formatting import Formatter, plain
from wine_slo.slo.text.incidents.breach import breach_text
from wine_slo.slo.text.incidents.group import grouped_text
from wine_slo.slo.text.incidents.reminder import reminder_text
from wine_slo.slo.text.incidents.resolved import closed_text, late_text, recovery_text

MAX_TEXT = 4096  # characters of a Telegram message
MAX_LINES = 9
FORMATTER = Formatter(ALL, ZoneInfo("Etc/GMT-3"))
NOTHING = DeliveryRecord(incident=12, chat=CHAT)
OPENED = DeliveryRecord(incident=12, chat=CHAT, stage=Stage.OPENED, opening=1, message=5, breach_told_at=at(87))
BOUNDS = (0.001, 0.025, 0.05, 0.9, 1.0, 1.1, 2.0, 2.5, 10.0)
BUDGET = Budget(
    history=timedelta(days=30),
    events=240_000,
    bad_ratios={minutes(5): 0.4, timedelta(hours=1): 0.8, timedelta(days=3): 0.05, timedelta(days=30): 0.0015},
)
YOUNG, OLDER = (replace(BUDGET, history=minutes(count), events=events) for count, events in ((1, 100), (16, 4000)))
SLEEP = Cause(label="endpoint", values=("/sleep",), bad=46, total=46, other_bad=0, other_total=12)
BY_ENDPOINT = Breakdown(label="endpoint", values=(Share("/sleep", 46, 46), Share("/predict", 0, 12)))
SLOW = incident(attribution=Attribution(over=minutes(1), breakdowns=(BY_ENDPOINT,), causes=(SLEEP,)), budget=BUDGET)
CHANGED = replace(SLOW, change=Deployment(at(60) - minutes(6), "3021" * 16, "9188" * 16))
FAILING = incident(key=Key("errors"), value=0.113, worst=0.2)
DOWN = incident(key=Key("availability"), value=1.0, worst=1.0, targets=1, down=("127.0.0.1:8000",), bad=12, total=12)
PARTLY_DOWN = replace(DOWN, value=1 / 3, targets=3, down=("b:8000",), total=36)
ALL_DOWN = replace(PARTLY_DOWN, value=1.0, down=("a:8000", "b:8000", "c:8000"), bad=36)
GAUGED = incident(value=1.0, worst=1.0, bad=12, total=12, missed=0.0)
RECOVERED = incident(
    last_bad_at=at(860), closed_at=at(887), outcome=Outcome.RECOVERED, value=0.041, bad=640, total=1910, budget=BUDGET
)
EARLIER = (
    Opening(began_at=at(60), last_bad_at=at(115), bad=46, total=58),
    Opening(began_at=at(300), last_bad_at=at(340), bad=80, total=100),
)
EXPIRED = incident(closed_at=at(1915), outcome=Outcome.EXPIRED, held=Sight.NO_TRAFFIC, held_since=at(115))
BLIND = Incident(
    number=13,
    key=SIGHT,
    began_at=at(60),
    opened_at=at(185),
    last_bad_at=at(185),
    reason=Reason(
        "Prometheus: {why}", {"why": Reason("it cannot be reached ({cause})", {"cause": Reason("connection refused")})}
    ),
)
UNWRITTEN = replace(BLIND, key=LEDGER, reason="database or disk is full")
WRITTEN = replace(UNWRITTEN, closed_at=at(185), outcome=Outcome.RECOVERED)


def of_every_kind(fmt: Formatter) -> Formatter:
    return replace(fmt, objectives=EVERY_KIND)


def caused(*causes: Cause) -> Incident:
    """A breach with causes that explain equally well."""
    return incident(attribution=Attribution(over=minutes(1), breakdowns=(BY_ENDPOINT,), causes=causes))


CAUSED = caused(
    replace(SLEEP, label="instance", values=("a:8000", "b:8000"), bad=45, other_bad=1),
    replace(SLEEP, label="version", values=("1.4",)),
)


def breach(
    truth: Incident,
    *,
    after: float = 120,
    record: DeliveryRecord = NOTHING,
    state: State | None = None,
    fmt: Formatter = FORMATTER,
) -> str:
    return breach_text(fmt, truth, record, state or State(), at(after))


def burning(burn: Burn) -> Incident:
    began = at(120) - burn.short
    return incident(key=replace(KEY, alert=burn.alert), burn=burn, budget=BUDGET, began_at=began, bad=0, total=0)


HELD_BY_THE_OUTAGE = State(incidents={11: incident(number=11, held=Sight.TARGET_DOWN), 12: DOWN})
EXAMPLES: dict[str, Callable[[Formatter], str]] = {
    "a breach": lambda fmt: breach(SLOW, fmt=fmt),
    "a breach after a change": lambda fmt: breach(CHANGED, fmt=fmt),
    "a breach in a young history": lambda fmt: breach(incident(bad=13, total=13, budget=YOUNG), fmt=fmt),
    "a recovery in a young history": lambda fmt: recovery_text(
        fmt, replace(RECOVERED, bad=15, total=120, budget=OLDER), OPENED
    ),
    "a breach that lasts": lambda fmt: breach(SLOW, after=720, fmt=fmt),
    "a breach of which nothing more is known": lambda fmt: breach(incident(value=None), fmt=fmt),
    "a breach that may be a repeat": lambda fmt: breach(
        incident(), record=replace(NOTHING, perhaps_sent=True), fmt=fmt
    ),
    "a breach that came back": lambda fmt: breach(
        replace(SLOW, openings=3, again_at=at(660), last_bad_at=at(685), earlier=EARLIER, bad=151, total=188),
        after=690,
        fmt=fmt,
    ),
    "a service that hangs": lambda fmt: breach(incident(waiting_seconds=72.4, value=None), fmt=fmt),
    "several causes that are as good": lambda fmt: breach(CAUSED, fmt=fmt),
    "a cause of failed scrapes": lambda fmt: breach(
        replace(
            PARTLY_DOWN,
            attribution=caused(
                replace(SLEEP, label="instance", values=("b:8000",)), replace(SLEEP, label="zone", values=("b",))
            ).attribution,
        ),
        fmt=fmt,
    ),
    "a recovery from what had a cause": lambda fmt: recovery_text(
        fmt, replace(RECOVERED, attribution=SLOW.attribution), OPENED
    ),
    "failing": lambda fmt: breach(FAILING, fmt=fmt),
    "down": lambda fmt: breach(DOWN, state=HELD_BY_THE_OUTAGE, fmt=fmt),
    "one of three down": lambda fmt: breach(PARTLY_DOWN, fmt=fmt),
    "three of three down": lambda fmt: breach(ALL_DOWN, fmt=fmt),
    "one of three down, then all": lambda fmt: breach(replace(ALL_DOWN, bad=20), fmt=fmt),
    "one of three down, each by itself": lambda fmt: breach(
        replace(DOWN, key=Key("availability", (("instance", "b:8000"),)), down=("b:8000",)), fmt=fmt
    ),
    "slow, and one of three is down": lambda fmt: breach(incident(targets=3, down=("b:8000",)), fmt=fmt),
    "a probe of one target": lambda fmt: breach(
        replace(
            GAUGED,
            key=Key("probe"),
            value=0.5,
            bad=6,
            attribution=caused(replace(SLEEP, label="instance", values=("b:8000",))).attribution,
        ),
        fmt=of_every_kind(fmt),
    ),
    "closed gauge": lambda fmt: closed_text(of_every_kind(fmt), replace(RECOVERED, key=Key("queue"), worst=1.0)),
    "a probe": lambda fmt: breach(replace(GAUGED, key=Key("probe")), fmt=of_every_kind(fmt)),
    "a queue": lambda fmt: breach(replace(GAUGED, key=Key("queue"), missed=4800), fmt=of_every_kind(fmt)),
    "a queue that is short again": lambda fmt: recovery_text(
        of_every_kind(fmt),
        replace(RECOVERED, key=Key("queue"), value=0.0, worst=1.0, bad=24, total=40, budget=None),
        OPENED,
    ),
    "a batch job": lambda fmt: breach(
        replace(GAUGED, key=Key("backup"), missed=7300, value=0.5, bad=6), fmt=of_every_kind(fmt)
    ),
    "slow or failed": lambda fmt: breach(
        incident(key=Key("calls"), value=0.4, worst=0.5, bad=46, total=58), fmt=of_every_kind(fmt)
    ),
    "buckets that are wide": lambda fmt: breach(replace(SLOW, bounds=BOUNDS), fmt=fmt),
    "one label set": lambda fmt: breach(incident(key=Key("latency", (("endpoint", "/predict"),))), fmt=fmt),
    "no requests": lambda fmt: breach(incident(held=Sight.NO_TRAFFIC, held_since=at(780)), after=900, fmt=fmt),
    "too few requests": lambda fmt: breach(incident(held=Sight.TOO_FEW, held_since=at(780)), after=900, fmt=fmt),
    "it went down": lambda fmt: breach(incident(held=Sight.TARGET_DOWN, held_since=at(780)), after=900, fmt=fmt),
    "it cannot be seen": lambda fmt: breach(incident(held=Sight.BLIND, held_since=at(780)), after=900, fmt=fmt),
    "blind": lambda fmt: breach(BLIND, after=185, fmt=fmt),
    "the ledger cannot be written": lambda fmt: breach(UNWRITTEN, after=185, fmt=fmt),
    "the ledger is written again": lambda fmt: recovery_text(fmt, WRITTEN, OPENED),
    "the ledger was written again": lambda fmt: closed_text(fmt, WRITTEN),
    "the budget burns": lambda fmt: breach(burning(BURNS[0]), fmt=fmt),
    "the budget melts": lambda fmt: breach(burning(BURNS[3]), fmt=fmt),
    "the last target is down too": lambda fmt: reminder_text(fmt, replace(ALL_DOWN, bad=20, is_outage=True), at(120)),
    "reminder": lambda fmt: reminder_text(fmt, incident(value=1.7), at(60 + 4 * 3600)),
    "recovery": lambda fmt: recovery_text(fmt, RECOVERED, OPENED),
    "recovery of a short one": lambda fmt: recovery_text(fmt, replace(RECOVERED, last_bad_at=at(115)), OPENED),
    "recovery after it came back": lambda fmt: recovery_text(
        fmt,
        replace(RECOVERED, openings=3, again_at=at(660), earlier=EARLIER),
        replace(OPENED, breach_told_at=at(690)),
    ),
    "recovery of errors": lambda fmt: recovery_text(
        fmt, replace(RECOVERED, key=Key("errors"), value=0.0, worst=0.2, budget=None), OPENED
    ),
    "up again": lambda fmt: recovery_text(
        fmt, replace(RECOVERED, key=Key("availability"), value=0.0, worst=1.0, budget=None), OPENED
    ),
    "seeing again": lambda fmt: recovery_text(
        fmt, replace(BLIND, closed_at=at(400), last_bad_at=at(400), outcome=Outcome.RECOVERED), OPENED
    ),
    "the budget lasts again": lambda fmt: recovery_text(
        fmt, replace(burning(BURNS[0]), closed_at=at(900), outcome=Outcome.RECOVERED), OPENED
    ),
    "closed": lambda fmt: closed_text(fmt, RECOVERED),
    "closed blindness": lambda fmt: closed_text(fmt, replace(BLIND, closed_at=at(400), outcome=Outcome.RECOVERED)),
    "closed budget": lambda fmt: closed_text(
        fmt, replace(burning(BURNS[0]), closed_at=at(900), outcome=Outcome.RECOVERED)
    ),
    "missed": lambda fmt: late_text(fmt, RECOVERED, State()),
    "expired": lambda fmt: recovery_text(fmt, EXPIRED, OPENED),
    "withdrawn": lambda fmt: recovery_text(fmt, replace(EXPIRED, outcome=Outcome.WITHDRAWN), OPENED),
}


def several(count: int, **changes: object) -> list[Incident]:
    return [
        incident(number=number, key=Key("latency", (("endpoint", f"/{number}"),)), worst=1.0 + number, **changes)
        for number in range(1, count + 1)
    ]


OVER = several(6, outcome=Outcome.RECOVERED, closed_at=at(200))


def zoned(number: int) -> Key:
    """The first half of ten thousand is of one zone, but for a few."""
    zone = "eu-1" if number <= 4980 or number >= 9981 else "us-1"
    return Key("latency", (("endpoint", f"/{number}"), ("zone", zone)))


VARIED = [
    *several(7),
    *(
        incident(number=number, key=Key("errors", (("endpoint", f"/{number}"),)), value=0.1, worst=0.2)
        for number in (8, 9)
    ),
    incident(number=10, key=Key("availability"), value=1.0, worst=1.0),
]


def tracked(count: int) -> State:
    """So many label sets are known, of which half are of one zone."""
    keys = map(zoned, range(1, count + 1))
    return State(tracks={key: KeyState(key=key, since=at(0), sight_since=at(0)) for key in keys})


def taken(number: int) -> Action:
    return Action(
        number=number,
        at=at(120),
        deed=ActionKind.ACKNOWLEDGE,
        by=Person(7, "Анна"),
        chat=CHAT,
        cause=f"press #{number}",
        incident=number,
    )


SILENCED = Actions(
    (
        Action(
            number=1,
            at=at(120),
            deed=ActionKind.SILENCE,
            by=Person(7, "Анна"),
            chat=CHAT,
            cause="message 1",
            silence=Silence(at(3720), (), "errors"),
        ),
    )
)


def gap(why: str = "") -> Incident:
    over = at(250)
    return incident(key=GAP, began_at=at(0), last_bad_at=over, closed_at=over, outcome=Outcome.RECOVERED, reason=why)


BESIDE: dict[str, Callable[[Formatter], str]] = {
    "a storm": lambda fmt: grouped_text(fmt, Kind.BREACH, several(21), State(), at(150)),
    "the end of a storm": lambda fmt: grouped_text(fmt, Kind.RECOVERY, OVER, State(), at(200)),
    "the end of a part of a storm": lambda fmt: grouped_text(
        fmt, Kind.RECOVERY, OVER, State(incidents={12: incident(), 13: incident(number=13)}), at(200)
    ),
    "a storm that is no recovery": lambda fmt: grouped_text(fmt, Kind.RECOVERY, [*OVER, EXPIRED], State(), at(200)),
    "a storm of a part": lambda fmt: grouped_text(
        fmt,
        Kind.BREACH,
        [replace(each, key=zoned(each.number)) for each in several(5000)],
        tracked(10000),
        at(150),
        Actions((taken(1), taken(2))),
    ),
    "a storm that is partly over": lambda fmt: grouped_text(
        fmt, Kind.BREACH, [*OVER, *several(40)[6:]], State(), at(300), Actions(tuple(map(taken, range(1, 41))))
    ),
    "a storm of objectives": lambda fmt: grouped_text(fmt, Kind.BREACH, VARIED, State(), at(150)),
    "a storm in which each objective breaches once": lambda fmt: grouped_text(
        fmt, Kind.BREACH, [VARIED[0], VARIED[7], VARIED[9]], State(), at(150)
    ),
    "a storm of slow burns": lambda fmt: grouped_text(
        fmt,
        Kind.BREACH,
        [replace(each, key=replace(each.key, alert=Alert.TICKET)) for each in several(7)],
        State(),
        at(150),
    ),
    "a reminder of a storm": lambda fmt: grouped_text(fmt, Kind.REMINDER, several(7), State(), at(15000)),
    "a reminder of a storm that is partly acknowledged": lambda fmt: grouped_text(
        fmt, Kind.REMINDER, several(7), State(), at(15000), Actions((taken(1),))
    ),
    "a reminder of a storm that is acknowledged": lambda fmt: grouped_text(
        fmt, Kind.REMINDER, several(7), State(), at(15000), Actions(tuple(map(taken, range(1, 8))))
    ),
    "an escalation of a storm": lambda fmt: grouped_text(fmt, Kind.ESCALATION, several(7), State(), at(1000)),
    "the end of most of a storm": lambda fmt: grouped_text(
        fmt, Kind.RECOVERY, [*OVER, *several(8)[6:]], State(), at(300)
    ),
    "a storm that is closed": lambda fmt: grouped_text(fmt, Kind.CLOSE, OVER, State(), at(300)),
    "a storm of services": lambda fmt: grouped_text(
        replace(fmt, objectives=EVERY_KIND),
        Kind.BREACH,
        [*several(7), incident(number=10, key=Key("probe"), value=1.0, worst=1.0)],
        State(),
        at(150),
    ),
    "what is left of a storm of objectives": lambda fmt: grouped_text(
        fmt, Kind.BREACH, [*OVER, *VARIED[-3:]], State(), at(150), SILENCED
    ),
    "a part of a storm of objectives is over": lambda fmt: grouped_text(
        fmt, Kind.RECOVERY, [*OVER, VARIED[-1]], State(), at(300)
    ),
    "the end of a storm of objectives": lambda fmt: grouped_text(
        fmt, Kind.RECOVERY, [*OVER, replace(OVER[0], number=9, key=Key("errors"))], State(), at(300)
    ),
    "an escalation of a storm of objectives": lambda fmt: grouped_text(fmt, Kind.ESCALATION, VARIED, State(), at(1000)),
    "a storm that is closed and did not recover": lambda fmt: grouped_text(
        fmt, Kind.CLOSE, [*OVER, EXPIRED], State(), at(300)
    ),
    "a storm that was missed and did not recover": lambda fmt: grouped_text(
        fmt, Kind.MISSED, [*OVER, EXPIRED], State(), at(200)
    ),
    "a storm that was missed": lambda fmt: grouped_text(fmt, Kind.MISSED, OVER, State(), at(200)),
    "a gap": lambda fmt: late_text(fmt, gap(), State(incidents={12: incident()})),
    "a gap, and nothing is open": lambda fmt: late_text(fmt, gap(), State()),
    "a restart": lambda fmt: late_text(fmt, gap(Interruption.RESTART), State()),
    "evaluations that failed": lambda fmt: late_text(fmt, gap(Interruption.FAILURE), State()),
    "a suspension": lambda fmt: late_text(fmt, gap(Interruption.PAUSE), State()),
    "a clock that was ahead": lambda fmt: late_text(fmt, gap(Interruption.CLOCK), State()),
}


def check(text: str) -> None:
    """What holds for every text, whatever stands in it."""
    assert plain(text) == visible_text(text), "what Telegram shows is what the terminal shows"
    assert len(text) <= MAX_TEXT
    assert len(text.splitlines()) <= MAX_LINES
    assert all(line == line.strip() and line for line in text.split("\n")), text
    assert not re.search(r"; $|: $|, $|None(?! is)|nan ", text, re.MULTILINE)


words = st.text(max_size=60).filter(lambda text: "None" not in text) | st.sampled_from(
    ["<b>", "</b>", "&amp;", "a&b<c>", "x" * 6000, '"', "\n\n\n", "<" * 5000]
)


numbers = st.floats(0, 1e5)


instants = st.floats(0, 3e6).map(at)


keys = st.builds(
    Key,
    st.sampled_from(["latency", "errors", "availability", "gone"]),
    st.lists(st.tuples(st.just("endpoint"), words), max_size=2).map(tuple),
    st.sampled_from(Alert),
)


budgets = st.none() | st.builds(
    Budget,
    history=st.floats(0, 30).map(lambda days: timedelta(days=days)),
    events=st.none() | numbers,
    bad_ratios=st.dictionaries(
        st.sampled_from([minutes(5), timedelta(hours=1), timedelta(days=3), timedelta(days=30)]), st.floats(0, 1)
    ),
)


some = st.floats(1, 1e5)
shares = st.builds(Share, words, numbers, some)
attributions = st.builds(
    Attribution,
    over=st.just(minutes(5)),
    breakdowns=st.lists(
        st.builds(Breakdown, label=words, values=st.lists(shares, max_size=10).map(tuple), more=st.integers(0, 90)),
        max_size=10,
    ).map(tuple),
    causes=st.lists(
        st.builds(
            Cause,
            label=words,
            values=st.lists(words, min_size=1, max_size=3).map(tuple),
            bad=some,
            total=some,
            other_bad=numbers,
            other_total=some,
        ),
        max_size=3,
    ).map(tuple),
)


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    began, bad_for, later = draw(instants), draw(numbers), draw(numbers)
    bad, good, share = draw(numbers), draw(numbers), draw(st.floats(0, 1))
    key = draw(keys | st.sampled_from([SIGHT, LEDGER]))
    is_latency = key.objective == "latency"
    outcome = draw(st.none() | st.sampled_from(Outcome))
    last_bad_at = began + timedelta(seconds=bad_for)
    closed_at = last_bad_at + timedelta(seconds=later)
    return incident(
        key=key,
        began_at=began,
        opened_at=began + timedelta(seconds=bad_for / 2),
        again_at=draw(st.sampled_from([None, began + timedelta(seconds=bad_for / 3)])),
        last_bad_at=last_bad_at,
        openings=draw(st.integers(1, 5)),
        bad=bad,
        total=bad + good,
        value=draw(st.none() | numbers if is_latency else st.none() | st.just(share)),
        worst=draw(st.none() | numbers if is_latency else st.none() | st.just(share)),
        worst_at=last_bad_at,
        attribution=draw(st.none() | attributions),
        held=draw(st.none() | st.sampled_from([each for each in Sight if each is not Sight.CLEAR])),
        held_since=draw(st.sampled_from([None, last_bad_at])),
        reason=f"it said {draw(words)}",
        waiting_seconds=draw(st.none() | numbers) if is_latency else None,
        budget=draw(budgets),
        burn=draw(st.sampled_from(BURNS)) if key.alert is not Alert.BREACH else None,
        outcome=outcome,
        closed_at=closed_at if outcome else None,
    )
