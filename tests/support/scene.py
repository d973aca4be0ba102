"""What is seen, second by second, and a reader who is notified of it: short ways to say what a test is about."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from wine_slo.slo.attribution.attribution import Attribution
from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.engine import SIGHT, State, advance
from wine_slo.slo.evaluation.incident import Incident, with_attributions
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.plan import Notification, next_notification
from wine_slo.slo.notification.policy import Policy
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.latency import Latency, SlowOrFailed
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.objectives.selector import comparison_of
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.wording import IncidentWording

START = datetime(2026, 1, 1, 19, 40, tzinfo=UTC)
LATENCY = Objective(
    name="latency",
    title="Latency",
    job="wine-slo",
    source=Latency("request_latency_seconds", 1.0),
    ratio=0.95,
)
ERRORS = Objective(name="errors", title="Errors", job="wine-slo", source=Ratio(("bad",), ("total",)), ratio=0.99)
AVAILABILITY = Objective(name="availability", title="Availability", job="wine-slo", source=Up(), ratio=0.995)
PROBE, LENGTH, AGE = (
    Gauge(comparison_of(good))
    for good in (
        'probe_success{job="blackbox"} == 1',
        'queue_length{queue="<mail>"} < 100',
        "time() - last_success_timestamp_seconds < 1h",
    )
)
GAUGE = Objective(name="probe", title="Probe", job="blackbox", source=PROBE, ratio=0.99, least_events=1)
QUEUE = replace(GAUGE, name="queue", title="Queue", source=LENGTH)
BACKUP = replace(GAUGE, name="backup", title="Backup", source=AGE)
CALLS = replace(
    LATENCY, name="calls", title="Calls", source=SlowOrFailed("seconds", 1.0, success_selector='code="200"')
)
EVERY_KIND = Objectives.only(LATENCY, ERRORS, AVAILABILITY, GAUGE, QUEUE, BACKUP, CALLS)
KEY = Key("latency")
ALL = Objectives.only(LATENCY, ERRORS, AVAILABILITY)
CHAT = Address.of("telegram", 7)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


class Scene:
    """One service, evaluated every five seconds.

    Args:
        objectives: The objectives; the latency of all requests where nothing else is said.
    """

    def __init__(self, *objectives: Objective) -> None:
        self.objectives = Objectives.only(*(objectives or (LATENCY,)))
        self.state = State()
        self.second = 0.0

    @property
    def now(self) -> datetime:
        return at(self.second)

    @property
    def track(self) -> KeyState:
        return self.state.tracks[KEY]

    @property
    def incident(self) -> Incident:
        """The last one."""
        return self.state.incidents[max(self.state.incidents)]

    def has(
        self,
        bad: float,
        seconds: float = 5,
        *,
        of: float = 50,
        p95: float | None = None,
        sight: Sight = Sight.CLEAR,
        key: Key = KEY,
    ) -> "Scene":
        """For so long, that share of requests is bad, of so many in each interval."""
        for _ in range(round(seconds / 5)):
            self.second += 5
            interval = Interval(self.now, bad=bad * of, total=of)
            value = p95 if p95 is not None else 2.4 if bad > 0.05 else 0.05
            self.evaluate(
                {key: Reading(at=self.now, sight=sight, reason="", intervals=(interval,), recent_seconds=value)}
            )
        return self

    def lacks(self, sight: Sight, seconds: float = 5, *, keys: Iterable[Key] = (KEY,)) -> "Scene":
        """For so long, nothing can be judged."""
        for _ in range(round(seconds / 5)):
            self.second += 5
            self.evaluate({key: Reading(at=self.now, sight=sight, reason=f"{sight} is the reason") for key in keys})
        return self

    def breaks(self) -> "Scene":
        """Go bad until there is an incident."""
        return self.has(1.0, 25)

    def attributes(self, attribution: Attribution) -> "Scene":
        """Its open incidents get what was found about their bad events."""
        found = {each.key: attribution for each in self.state.open_incidents}
        self.state = replace(self.state, incidents=with_attributions(self.state.incidents, found))
        return self

    def evaluate(self, readings: dict[Key, Reading]) -> None:
        self.state = advance(self.state, self.objectives, readings, self.now)


class Reader:
    """A chat that receives everything at once."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.record: dict[int, DeliveryRecord] = {}
        self.notifications: list[Notification] = []

    @property
    def fmt(self) -> Formatter:
        return Formatter(self._scene.objectives, UTC)

    def receives(self) -> list[Notification]:
        """What is said now; none of it twice."""
        state, now = self._scene.state, self._scene.now
        fresh: list[Notification] = []
        for number, incident in state.incidents.items():
            record = self.record.get(number, DeliveryRecord(incident=number, chat=CHAT))
            muted = state.is_blind and incident.key != SIGHT
            while notification := next_notification(
                incident,
                record,
                IncidentWording(self.fmt, state, now),
                now,
                Policy(remind_after=LATENCY.remind_after, is_muted=muted),
            ):
                record = (
                    notification.after
                    if notification.edits is not None
                    else notification.delivered(100 + len(self.notifications))[0]
                )
                fresh.append(notification)
                self.notifications.append(notification)
                assert len(fresh) < 10, "it never stops saying things"
            self.record[number] = record
        return fresh


def incident(**changes: object) -> Incident:
    """An open incident of latency, a minute old at `at(120)`."""
    fresh = Incident(
        number=12,
        key=KEY,
        began_at=at(60),
        opened_at=at(90),
        last_bad_at=at(115),
        bad=46,
        total=58,
        value=2.44,
        value_over=LATENCY.recent,
        worst=2.61,
        worst_at=at(100),
    )
    return replace(fresh, **changes)  # type: ignore[arg-type]
