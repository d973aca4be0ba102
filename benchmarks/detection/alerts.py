"""The alerts of a run, and what its figures are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.detection.schedule import Case


class Word(StrEnum):
    """What was said of a replica."""

    BREACH = "breach"
    RECOVERY = "recovery"
    ENDED = "ended"  # with nothing known of a recovery


@dataclass(frozen=True, slots=True)
class Alert:
    """One message about one replica, and when it arrived in seconds since the run began."""

    replica: str
    word: Word
    at: float


@dataclass(slots=True)
class Record:
    """Everything that one set-up said."""

    setup: str
    alerts: list[Alert] = field(default_factory=list)

    def add(self, replica: str, word: Word, at: float) -> None:
        """Note a message as it arrives."""
        self.alerts.append(Alert(replica, word, at))

    def of(self, case: Case, word: Word) -> Iterator[float]:
        """Yield when that was said about a case."""
        for alert in self.alerts:
            if (
                alert.replica == case.replica
                and alert.word is word
                and case.span.start <= alert.at < case.watched_until
            ):
                yield alert.at

    def seconds_to_alert(self, cases: Iterable[Case]) -> list[float]:
        """Return the seconds from each start to the first alert, for those that were alerted on while they went on."""
        firsts = ((case, next(self.of(case, Word.BREACH), None)) for case in cases)
        return [at - case.span.start for case, at in firsts if at is not None and at < case.span.end]

    def seconds_to_recovery(self, cases: Iterable[Case]) -> list[float]:
        """Return the seconds from each end to the first recovery after it."""
        afters = ((case, [at for at in self.of(case, Word.RECOVERY) if at >= case.span.end]) for case in cases)
        return [min(after) - case.span.end for case, after in afters if after]

    def alerted(self, cases: Iterable[Case], word: Word = Word.BREACH) -> int:
        """Return how many were alerted at all."""
        return sum(any(True for _ in self.of(case, word)) for case in cases)

    def early_recoveries(self, cases: Iterable[Case]) -> int:
        """Return how many of those were called over before their end."""
        return sum(any(at in case.span for at in self.of(case, Word.RECOVERY)) for case in cases)

    def false_recoveries(self, cases: Iterable[Case]) -> int:
        """Return how many of those were called over while they were dead."""
        return sum(any(at in case.gone for at in self.of(case, Word.RECOVERY)) for case in cases if case.gone)

    def messages(self, cases: Iterable[Case], word: Word = Word.BREACH) -> int:
        """Return how often that was said."""
        return sum(1 for case in cases for _ in self.of(case, word))
