"""Many incidents at once: which of them share one message in a chat, and what that message is to read next.

A storm is what shares a message: the delivery records of a chat that are grouped and have the id of that message. So it
needs no memory of its own, and a restart finds it as it was. What it owes is a difference, as of any incident:

| the storm | so |
|---|---|
| breaches that belong to it and are not in its message yet | the message is edited, soon and without a sound |
| some of it still open, or not acknowledged, for long | one reminder or one escalation for all of that |
| some of it over, and no more since a while; or all of it | one recovery, which accounts for every one |
| its text differs | the message is edited, once a minute |

A storm begins where more is due at once than people read one by one, or where the third message within minutes is due
while many more objectives are suspicious. What begins later belongs to it while that is news, and as long as it is
little beside what was sent with a sound. Another objective speaks for itself, unless many are bad and the chat has had
its share of new messages.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wine_slo.slo.evaluation.engine import DOWN, GAP, LEDGER, SIGHT
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.plan import STORM
from wine_slo.slo.notification.policy import Policy
from wine_slo.slo.notification.record import DeliveryRecord, Stage
from wine_slo.slo.objectives.objective import Alert, Key

ONSET = timedelta(minutes=10)  # so long a storm is news: what begins belongs to it
MOST_NEW = 3  # messages about breaches in that time, once there is a storm
FIRST = 2  # breaches that are sent one by one while many more are suspicious
FEW = 2  # incidents of an objective, and such objectives, that are no part of a storm of others

JobOf = Callable[[Key], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An incident, what a chat has received of it, and how the chat may be notified of it."""

    incident: Incident
    record: DeliveryRecord
    policy: Policy

    @property
    def is_over_unsaid(self) -> bool:
        """Return whether it is over and the chat knows only that it began."""
        return not self.incident.is_open and self.record.stage is Stage.OPENED


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Incidents that share a message in a chat.

    Attributes:
        message: Its id.
        members: They, in the order of their numbers.
    """

    message: int
    members: tuple[Member, ...]

    @property
    def began_at(self) -> datetime | None:
        """Return when its message was sent; None where that is not known."""
        return min((at for each in self.members if (at := each.record.breach_told_at)), default=None)

    @property
    def open_members(self) -> list[Member]:
        """Return what of it is open."""
        return [each for each in self.members if each.incident.is_open]

    def accepts(self, count: int, now: datetime) -> bool:
        """Return whether so many more breaches belong into its message, and need none with a sound of their own."""
        began_at = self.began_at
        is_open = any(each.record.stage is Stage.OPENED for each in self.open_members)  # else its end was reported
        if began_at is None or not is_open:
            return False
        if now - began_at <= ONSET:
            return True
        since = [each.record.breach_told_at for each in self.members if each.record.breach_told_at]
        first = sum(at - began_at <= ONSET for at in since)
        return len(self.open_members) > STORM and len(since) - first + count <= first


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """How the breaches that are due in a chat are to be sent.

    Attributes:
        single: One by one.
        together: In one new message.
        joining: By an edit of the message of a storm.
        storm: Which.
    """

    single: tuple[Member, ...] = ()
    together: tuple[Member, ...] = ()
    joining: tuple[Member, ...] = ()
    storm: Storm | None = None


def family_of(incident: Incident) -> str:
    """Return what it may share a message with; nothing where it has a sentence of its own, which is an empty text."""
    if incident.key in (SIGHT, LEDGER, GAP) or incident.key.objective == SIGHT.objective:
        return ""
    if incident.key.objective == DOWN:
        return DOWN
    return Alert.TICKET if incident.key.alert is Alert.TICKET else Alert.BREACH


def onsets(
    due: Sequence[Member],
    storms: Iterable[Storm],
    now: datetime,
    *,
    recent: int,
    suspicious: Mapping[str, int],
    job_of: JobOf,
) -> list[Onset]:
    """Return how the breaches that are due in a chat are to be sent, for each family of them.

    Args:
        due: The breaches.
        storms: What shares a message there already, oldest message first; none where no message can be edited.
        now: The instant of this pass.
        recent: How many messages about breaches the chat has received within the time in which a storm is news.
        suspicious: How many label sets of each objective are suspicious.
        job_of: Returns the job of a key.
    """
    families: dict[str, list[Member]] = {}
    for each in due:
        families.setdefault(family_of(each.incident), []).append(each)
    found = [Onset(single=tuple(families.pop("", ())))]
    running = list(storms)
    for family, of_family in families.items():
        those = of_family
        storm = next((it for it in reversed(running) if _is_of(it, family) and it.accepts(len(those), now)), None)
        joining: list[Member] = []
        if storm is not None:
            related = _relation(storm, job_of)
            is_broad = recent >= MOST_NEW and _is_broad(those, [it for it in running if _is_of(it, family)])
            joining = [each for each in those if is_broad or related(each.incident.key)]
            numbers = {each.incident.number for each in joining}
            those = [each for each in of_family if each.incident.number not in numbers]
        single, together = _divided(those, recent, suspicious)
        found.append(Onset(single=tuple(single), together=tuple(together), joining=tuple(joining), storm=storm))
    return found


def _is_of(storm: Storm, family: str) -> bool:
    return family_of(storm.members[0].incident) == family


def _is_broad(due: Iterable[Member], storms: Iterable[Storm]) -> bool:
    """Return whether more objectives are bad, or become so, than people read of one by one."""
    still = (each for storm in storms for each in storm.open_members)
    return len({each.incident.key.objective for each in (*still, *due)}) > STORM


def _relation(storm: Storm, job_of: JobOf) -> Callable[[Key], bool]:
    """Return what says whether a key belongs to a storm: by its objective; by its job, where the storm has many."""
    names = {each.incident.key.objective for each in storm.members}
    jobs = {job_of(each.incident.key) for each in storm.members} if len(names) > STORM else set()
    return lambda key: key.objective in names or job_of(key) in jobs


def _divided(
    those: Sequence[Member], recent: int, suspicious: Mapping[str, int]
) -> tuple[Sequence[Member], Sequence[Member]]:
    """Return which breaches are sent one by one, and which in one message."""
    counts = Counter(each.incident.key.objective for each in those)
    pending = sum(suspicious.get(name, 0) for name in counts)
    is_brewing = pending > STORM and recent + len(those) > FIRST
    if recent + len(those) <= STORM and not is_brewing:
        return those, ()
    lone = {name for name, count in counts.items() if count <= FEW and len(those) - count > STORM}
    if len(lone) > FEW:
        lone = set()
    single = [each for each in those if each.incident.key.objective in lone]
    return single, [each for each in those if each.incident.key.objective not in lone]


def recent_messages(records: Iterable[DeliveryRecord], now: datetime) -> int:
    """Return how many messages about breaches a chat has received within the time in which a storm is news."""
    return len({each.message for each in records if each.breach_told_at and now - each.breach_told_at <= ONSET})
