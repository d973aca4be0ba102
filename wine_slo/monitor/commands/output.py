"""How the verbs' findings read in a terminal."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo

from wine_slo.integrations.console.terminal import Line, Terminal, table
from wine_slo.integrations.storage.upkeep.health import Health
from wine_slo.monitor.commands.finding import Finding, Grade
from wine_slo.monitor.drill.result import Drill, Step
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.text.language import ENGLISH
from wine_slo.slo.views import status_text
from wine_slo.slo.views.status_schema import IncidentStatus, Judgement, ObjectiveStatus, Status

MOODS = {Judgement.MET: "good", Judgement.BREACHED: "bad", Judgement.SUSPICIOUS: "care", Judgement.UNKNOWN: "grey"}
span = ENGLISH.span  # as the command line is in English only
GRADES = {Grade.OK: "good", Grade.WARNING: "care", Grade.WRONG: "bad"}
MOST_SHOWN = 50  # label sets, and open incidents, in one table
MOST_RECENT = 5  # closed incidents in one table


# Status


def status(terminal: Terminal, found: Status, zone: tzinfo) -> None:
    """Print how everything stands, the worst first."""
    order = tuple(Judgement)
    worst_first = sorted(found.objectives, key=lambda each: order.index(each.verdict))
    terminal.table(
        ("", "objective", "value", "target", "budget", "incident"),
        (_objective(each, found.now, zone) for each in worst_first[:MOST_SHOWN]),
    )
    incidents = [*found.open_incidents[:MOST_SHOWN], *found.recent_incidents[:MOST_RECENT]]
    if incidents:
        terminal.line("")
        terminal.table(("", "incident", "when", "worst"), (_incident(each, found.now, zone) for each in incidents))
    terminal.line("")
    if found.seconds_since_look is None:
        terminal.line(f"It has not evaluated yet. wine-slo {found.version}.", "care")
        return
    age = span(timedelta(seconds=found.seconds_since_look))
    poll = span(timedelta(seconds=found.poll_seconds))
    terminal.line(f"Evaluated {age} ago, every {poll}. wine-slo {found.version}.", "bad" if found.overdue else "")
    if found.overdue:
        terminal.line("That is too long ago: the status above is out of date.", "bad")
    total = found.selection.total if found.selection is not None else len(found.objectives)
    if total > MOST_SHOWN:
        counted = ENGLISH.number(total)
        terminal.line(f"The worst {MOST_SHOWN} of {counted} are shown; the status page searches all of them.", "care")
    if found.blind:
        terminal.line("Prometheus does not answer.", "bad")
    if leads := status_text.leadership(found.leadership):
        terminal.line(leads, "care")
    for each in filter(None, (status_text.replica(one, found.now) for one in found.replicas)):
        terminal.line(each, "care")
    if found.untold_seconds >= 1:
        terminal.line(
            f"A notification has been undelivered for {span(timedelta(seconds=found.untold_seconds))}.", "bad"
        )


def _objective(slo: ObjectiveStatus, now: datetime, zone: tzinfo) -> Line:
    value = f"{status_text.value(slo)} {status_text.meaning(slo)}" if status_text.value(slo) else "no number"
    return Line(
        MOODS[slo.verdict],
        (
            slo.verdict,
            slo.slo,
            slo.reason if slo.verdict is Judgement.UNKNOWN and slo.reason else value,
            status_text.target(slo),
            status_text.budget_in_short(slo, now, zone),
            f"#{slo.incident}" if slo.incident else "",
        ),
    )


def _incident(incident: IncidentStatus, now: datetime, zone: tzinfo) -> Line:
    began = incident.again_at or incident.began_at
    first = status_text.beginning(began, now, zone)
    if incident.is_open:
        when, mood, word = f"since {first} ({span(now - began)})", "bad", "open"
    else:
        last = incident.last_bad_at
        when = f"{first} to {status_text.beginning(last, began, zone)} ({span(last - began)})"
        mood = "grey"
        word = str(incident.outcome or Outcome.RECOVERED)
    facts = ", ".join(filter(None, (status_text.worst(incident), status_text.cause(incident))))
    return Line(mood, (word, f"#{incident.number} {incident.title}", when, facts))


# The doctor


def findings(terminal: Terminal, found: Sequence[Finding]) -> None:
    """Print what was found, each with what to do, and how much of it is wrong."""
    for each in found:
        terminal.line(f"{each.grade:<8} {each.about:<11} {each.sentence}", GRADES[each.grade])
        if each.remedy:
            terminal.line(f"{'':<20} → {each.remedy}")
    wrong = sum(each.grade is Grade.WRONG for each in found)
    warnings = sum(each.grade is Grade.WARNING for each in found)
    counts = (
        f"{wrong} wrong, {warnings} {'warning' if warnings == 1 else 'warnings'}"
        if wrong or warnings
        else "No problems found."
    )
    terminal.line("")
    terminal.line(counts, "bad" if wrong else "care" if warnings else "good")


# The drill


@contextmanager
def drilling(terminal: Terminal | None) -> Iterator[Callable[[Drill], None]]:
    """Show a drill while it runs; nothing without a terminal to show it on."""
    if terminal is None:
        yield lambda _: None
        return
    last: list[Drill] = []
    if terminal.is_watched:
        with terminal.live() as live:

            def update(drill: Drill) -> None:
                last[:] = [drill]
                live.update(table(("", "", "", "expected"), (_step(drill, each) for each in drill.steps)))

            yield update
        if last and (end := conclusion(last[0])):
            terminal.line(end, "good" if last[0].has_worked else "bad")
        return
    said: set[str] = set()

    def show(drill: Drill) -> None:
        for line in progress(drill):
            if line not in said:
                said.add(line)
                terminal.line(line)

    yield show


def progress(drill: Drill) -> list[str]:
    """Return what has happened so far, a line for each."""
    budget = "leaves that out" if drill.spares_budget else "counts that"
    lines = [f"{drill.does} The error budget {budget}."]
    for step in drill.steps:
        is_ended = step.name == "recovered" and drill.stopped_at is not None and drill.incident is not None
        if is_ended and drill.mends is not None:
            lines.append(str(drill.mends))
        if step.seconds is not None:
            late = "" if step.is_in_time else ", LATE"
            title = f"{step.title} (#{drill.incident})" if step.name == "detected" else step.title
            lines.append(f"{step.seconds:6.1f} s  {title}; expected within {step.expected_seconds:.0f} s{late}")
    return [*lines, *filter(None, [conclusion(drill)])]


def conclusion(drill: Drill) -> str:
    """Return what it came to; empty while it runs."""
    if drill.trouble:
        return f"Drill failed: {drill.trouble}"
    if any(step.seconds is None for step in drill.steps):
        return ""
    return "Drill passed." if drill.has_worked else "Drill passed, but slower than the settings imply."


def _step(drill: Drill, step: Step) -> Line:
    if step.seconds is None:
        waiting = next(each for each in drill.steps if each.seconds is None)
        mood, word, took = ("care", "…", "") if step is waiting and not drill.trouble else ("grey", "", "")
    else:
        mood, word = ("good", "✓") if step.is_in_time else ("bad", "late")
        took = f"{step.seconds:.1f} s"
    return Line(mood, (word, step.title, took, f"{step.expected_seconds:.0f} s"))


# The ledger


def ledger(found: Health) -> Iterator[str]:
    """Yield what is found of a ledger, a line each."""
    yield f"{found.ledger}: " + ("damaged" if found.damage else "whole")
    newest = "" if found.schema == found.known_schema else f", this program knows {found.known_schema}"
    yield f"schema {found.schema}{newest}, {found.bytes / 1e6:,.1f} MB"
    began = f"; the oldest began at {found.oldest_incident:%Y-%m-%d %H:%M} UTC" if found.oldest_incident else ""
    yield f"{found.rows.get('incidents', 0)} incidents, {found.open_incidents} of them open{began}"
    yield ", ".join(f"{rows} {name}" for name, rows in found.rows.items() if name != "incidents")
    if not found.leader:
        yield "no watchdog has led with it yet"
    else:
        verb = "leads" if found.is_led else "led last, and does not now"
        yield f"{found.leader} {verb}, number {found.lease_number}"
    yield from (f"damage: {each}" for each in found.damage)
