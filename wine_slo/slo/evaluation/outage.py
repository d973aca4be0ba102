"""An outage of a job: no target answers its scrapes, or each goes down again and again.

The last scrape does not decide, as what crashes and is started again answers some of them. Nor does one restart, which
is over sooner: of the last five minutes a target must have been down for two in all.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wine_slo.slo.evaluation.incident import Incident, Outcome, joined, may_reopen
from wine_slo.slo.reason import Reason
from wine_slo.slo.usual_spans import last_scrapes, most_unanswered

STAYS_UP_FOR = timedelta(seconds=45)  # and two scrapes; what answers for less may be about to crash
IS_BACK_AFTER = timedelta(seconds=20)  # and two scrapes; for so long one is down that was down shortly before


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The last scrapes that were not answered by the target of a job that answered most of them.

    Attributes:
        count: How many; 0 where it answered all of them.
        since: Since when there are any.
        scrape_interval: How far apart scrapes are.
        targets: How many targets the job has.
    """

    count: int
    since: datetime
    scrape_interval: timedelta
    targets: int = 0

    @property
    def span(self) -> timedelta:
        """Return the time of the last scrapes."""
        return last_scrapes(self.scrape_interval) * self.scrape_interval

    @property
    def are_many(self) -> bool:
        """Return whether a target that was restarted once misses fewer."""
        return self.count >= most_unanswered(self.scrape_interval)

    @property
    def are_few(self) -> bool:
        """Return whether it has answered for most of the time again."""
        return self.count <= most_unanswered(self.scrape_interval) // 2

    @property
    def reason(self) -> Reason:
        """Return what is wrong, in words."""
        scrapes = last_scrapes(self.scrape_interval)
        if self.targets <= 1:
            return Reason(
                "its only target did not answer {count} of its last {scrapes} scrapes",
                {"count": self.count, "scrapes": scrapes},
            )
        return Reason(
            "even the best of its {targets} targets did not answer {count} of its last {scrapes} scrapes",
            {"count": self.count, "scrapes": scrapes, "targets": self.targets},
        )

    def overlap(self, last: Incident | None, now: datetime) -> bool:
        """Return whether some of them may be those of an outage that is over."""
        return last is not None and last.closed_at is not None and now - last.closed_at < self.span

    def recur(self, down_since: datetime | None, last: Incident | None, now: datetime, blind_for: timedelta) -> bool:
        """Return whether the job goes down again and again.

        Args:
            down_since: Since when no target has answered; None while one does.
            last: The last outage; None where there was none of late.
            now: The instant of the evaluation.
            blind_for: For how long a job must be down.
        """
        if not self.are_many:
            return False
        if self.overlap(last, now):
            return down_since is not None and now - down_since >= max(IS_BACK_AFTER, self.scrape_interval)
        if down_since is not None:
            return now - self.since >= blind_for
        return now - self.since >= self.span + blind_for  # one outage would be over and out of the span by then


def outage_after(
    last: Incident | None, new: Incident, unanswered: Unanswered | None, blind_for: timedelta, *, was_down: bool
) -> Incident | None:
    """Return the outage of a job after an evaluation; None where there is none.

    Args:
        last: The last one; None where there was none of late.
        new: One that opens now, and began when no target answered any more; it has a reason where none does.
        unanswered: The last scrapes without an answer; None where that is not known.
        blind_for: For how long a job must be down.
        was_down: Whether no target answered at the evaluation before.
    """
    if last is not None and last.is_open:
        return _followed(last, new, unanswered, was_down=was_down)
    now, down_since = new.opened_at, new.began_at if new.reason else None
    if down_since is not None and now - down_since >= blind_for:
        opened = new
    elif unanswered is None or not unanswered.recur(down_since, last, now, blind_for):
        return None
    elif unanswered.overlap(last, now):
        opened = replace(new, relapses=1)
    else:
        began_at = max(unanswered.since, now - unanswered.span)
        opened = replace(new, began_at=began_at, relapses=1, reason=unanswered.reason)
    if last is None or last.outcome is not Outcome.RECOVERED or not may_reopen(last, opened.began_at):
        return opened
    return replace(
        last,
        again_at=opened.began_at,
        opened_at=now,
        last_bad_at=now,
        closed_at=None,
        outcome=None,
        openings=last.openings + 1,
        earlier=joined((*last.earlier, last.this_opening)),
        relapses=last.relapses + 1,
        reason=opened.reason,
    )


def _followed(outage: Incident, new: Incident, unanswered: Unanswered | None, *, was_down: bool) -> Incident:
    """Return an open outage after an evaluation, closed where the job has stayed up."""
    now = new.opened_at
    if new.reason:
        relapses = outage.relapses + (not was_down)
        reason = unanswered.reason if unanswered is not None and relapses else new.reason
        return replace(outage, last_bad_at=now, relapses=relapses, reason=reason)
    if unanswered is not None and outage.relapses and not unanswered.are_few:
        return replace(outage, reason=unanswered.reason)
    is_young = unanswered is not None and now - outage.last_bad_at < max(STAYS_UP_FOR, 2 * unanswered.scrape_interval)
    if is_young and not outage.relapses:
        return outage
    return replace(outage, closed_at=now, outcome=Outcome.RECOVERED)
