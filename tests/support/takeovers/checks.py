"""What must hold of a whole run, each as a function that returns the sentences about what does not."""

from collections.abc import Callable, Iterator
from itertools import chain, pairwise
from statistics import median

from tests.support.takeovers.history import DUPLICATE, POLL, SPEAKS, TELEGRAM_AWAY, Blow, Breach, Call, History, Kind

DETECTED_WITHIN = 12.0  # seconds; a breach that is shorter need not be detected

EXPLAINED_WITHIN = 15.0  # seconds from the end of a blow to the last takeover that it explains


def violations(history: History) -> list[str]:
    """Return a sentence for each thing that does not hold, of the whole run."""
    return list(chain.from_iterable(check(history) for check in CHECKS))


def lost(history: History) -> Iterator[str]:
    """Find breaches that were long enough and whose beginning or end nobody was notified of."""
    messages = history.messages
    for breach in history.breaches:
        if breach.until - breach.since < DETECTED_WITHIN:
            continue
        until = min((each.since for each in history.breaches if _is_later(each, breach)), default=float("inf"))
        said = [each for each in (*messages, *history.joins) if each.names(breach) and breach.since <= each.at < until]
        kinds = {each.kind for each in said}
        if Kind.LATE in kinds:
            continue
        if Kind.BEGIN not in kinds:
            yield f"lost: {breach} was never announced"
        elif Kind.END not in kinds:
            yield f"lost: nobody was notified of the end of {breach}"


def invented(history: History) -> Iterator[str]:
    """Find breaches that were announced and never were."""
    for message in history.messages:
        if message.kind is Kind.BEGIN and "/e" in message.text and not any(
            message.names(each) and message.at >= each.since for each in history.breaches
        ):  # fmt: skip
            yield f"invented: {_shown(message)}"


def unmarked_repeats(history: History) -> Iterator[str]:
    """Find messages that say again what was said, without saying so."""
    texts: dict[str, Call] = {}
    is_open: dict[str, bool] = {}
    for message in history.messages:
        plain = "\n".join(line for line in message.text.splitlines() if DUPLICATE not in line)
        is_repeat = plain in texts
        if message.incident and message.kind in {Kind.BEGIN, Kind.END}:
            begins = message.kind is Kind.BEGIN
            is_repeat |= is_open.get(message.incident, not begins) is begins
            is_open[message.incident] = begins
        if is_repeat and not message.is_marked:
            yield f"repeated without a mark: {_shown(message)}"
        texts.setdefault(plain, message)


def two_pollers(history: History) -> Iterator[str]:
    """Find a watchdog that still polls the token after another one's lease has lasted for a lease."""
    for call in history.calls:
        leader = history.leader_at(call.at)
        if call.method == POLL and leader and leader.who != call.who and call.at - leader.since > history.lease:
            yield f"two pollers: {call.who} polls {call.at - leader.since:.1f} s after {leader.who} took the lease"
    if (longest := _longest_overlap(history)) > history.lease:
        yield f"two pollers: two of them polled at once for {longest:.1f} s"


def _longest_overlap(history: History) -> float:
    """Return for how many seconds two watchdogs polled at once."""
    polls = sorted((each for each in history.calls if each.method == POLL), key=lambda each: each.at)
    longest, last = 0.0, dict[str, float]()
    for poll in polls:
        overlaps = [ended_at - poll.at for who, ended_at in last.items() if who != poll.who]
        longest = max([longest, *overlaps])
        last[poll.who] = max(last.get(poll.who, 0.0), poll.ended_at or poll.at)
    return longest


def overtaken_speaks(history: History) -> Iterator[str]:
    """Find what a watchdog said while another one had the lease."""
    for call in history.calls:
        leader = history.leader_at(call.at)
        if call.method in SPEAKS and (leader is None or leader.who != call.who):
            by = f"{leader.who} leads since {call.at - leader.since:.2f} s" if leader else "nobody leads"
            yield f"spoke while {by}: {_shown(call)}"


def overtaken_writes(history: History) -> Iterator[str]:
    """Find rows that a watchdog wrote in a transaction in which another one had the lease."""
    for write in history.writes:
        if write.who != write.leader:
            yield f"written by {write.who} into {write.table} while {write.leader} led, at {write.at:.2f}"


def numbers_grow(history: History) -> Iterator[str]:
    """Find fencing numbers that do not grow."""
    for before, after in pairwise(history.tenures):
        if after.number <= before.number:
            yield f"the number went from {before.number} ({before.who}) to {after.number} ({after.who})"


def slow_takeovers(history: History) -> Iterator[str]:
    """Find blows after which nobody led in time."""
    for blow in history.blows:
        if blow.within is None:
            continue
        successor = history.successor(blow)
        if successor is None:
            yield f"nobody took over after {blow.kind} of {blow.who}"
        elif successor.since - blow.at > blow.within:
            yield f"{successor.who} took over {successor.since - blow.at:.2f} s after {blow.kind} of {blow.who}"


def needless_takeovers(history: History) -> Iterator[str]:
    """Find takeovers though nothing had been done to the leader."""
    for before, after in history.takeovers:
        blows = [each for each in history.blows if each.who in {"", before.who}]
        if not any(each.at <= after.since <= each.until + EXPLAINED_WITHIN for each in blows):
            yield f"{after.who} took over from {before.who} at {after.since:.2f}, to whom nothing had been done"


def wrong_announcements(history: History) -> Iterator[str]:
    """Find takeovers that nobody had planned and of which there is not exactly one message, and messages of none."""
    said = [each for each in history.messages if each.kind is Kind.TAKEOVER and not each.is_marked]
    unplanned = [after for before, after in history.takeovers if not before.is_freed]
    for tenure in history.tenures:
        own = [each for each in said if tenure.since <= each.at < tenure.until]
        wanted = int(tenure in unplanned)
        blow = history.blow_before(tenure)
        if not own and blow is not None and TELEGRAM_AWAY in blow.kind:
            continue  # it may have been struck itself before Telegram was back
        if len(own) != wanted:
            yield f"{len(own)} messages of a takeover instead of {wanted} in the tenure {tenure}"


def ended_by_themselves(history: History) -> Iterator[str]:
    """Find processes that ended though nobody had them end."""
    for each in history.ended:
        yield f"ended by itself: {each}"


def faults_of_ours(history: History) -> Iterator[str]:
    """Find tracebacks in what the processes said."""
    for name, log in history.logs.items():
        if "Traceback" in log:
            yield f"{name} said a traceback:\n{log[log.index('Traceback') :][:3000]}"


CHECKS: tuple[Callable[[History], Iterator[str]], ...] = (
    lost,
    invented,
    unmarked_repeats,
    two_pollers,
    overtaken_speaks,
    overtaken_writes,
    numbers_grow,
    slow_takeovers,
    needless_takeovers,
    wrong_announcements,
    ended_by_themselves,
    faults_of_ours,
)


def figures(history: History) -> list[str]:
    """Return how long the takeovers took, by what had led to them, and what else there was."""
    marked = sum(each.is_marked for each in history.messages)
    messages = f"{len(history.messages)} messages ({marked} marked as perhaps repeated)"
    counts = f"{len(history.takeovers)} takeovers, {len(history.breaches)} breaches"
    lines = [f"{counts}, {messages}, {len(history.writes)} rows"]
    lines.append(f"two watchdogs polled Telegram at once for {_longest_overlap(history):.2f} s at the longest")
    kinds: dict[str, list[Blow]] = {}
    for blow in history.blows:
        kinds.setdefault(blow.kind, []).append(blow)
    for kind, blows in kinds.items():
        leads, polls = [], []
        for blow in blows:
            if blow.within is not None and (successor := history.successor(blow)):
                leads.append(successor.since - blow.at)
                if (polled := history.polls_since(successor)) is not None:
                    polls.append(polled - blow.at)
        lines.append(f"{len(blows):4} {kind}: {_spread('leads', leads)}{_spread(', polls', polls)}")
    return lines


def _spread(what: str, seconds: list[float]) -> str:
    if not seconds:
        return ""
    return f"{what} after {min(seconds):.1f} / {median(seconds):.1f} / {max(seconds):.1f} s (min / median / max)"


def _is_later(other: Breach, breach: Breach) -> bool:
    return other.name == breach.name and other.since > breach.since


def _shown(call: Call) -> str:
    return f"{call.who} {call.method} at {call.at:.2f}: {call.text.splitlines()[:1]}"
