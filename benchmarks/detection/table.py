"""The figures of a run as tables of Markdown: a row for each set-up, a column for each question."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from benchmarks.detection.alerts import Record, Word
from benchmarks.detection.schedule import PERIODS, Case, Scenario, is_compared

INCIDENTS = {
    Scenario.INCIDENT: "all slow, 10/s",
    Scenario.SPARSE: "all slow, 1/s",
    Scenario.PARTIAL: "a tenth slow, 10/s",
}
STALLS = {Scenario.STALL: "slow for", Scenario.FREEZE: "frozen for", Scenario.SPARSE_STALL: "at 1/s slow for"}

SWINGS = {Scenario.SWING: "all requests swing from", Scenario.SWAY: "p95 swings from"}

Column = tuple[str, Callable[[Record], str]]


def tables(cases: Sequence[Case], records: Sequence[Record]) -> str:
    """Return the results of a run."""
    return "\n\n".join(
        _table(corner, list(columns), records)
        for corner, columns in (
            ("Seconds", _incident_columns(cases)),
            ("Stalls that were alerted on", _stall_columns(cases)),
            ("False endings, flaps, and nobody there", _absence_columns(cases)),
        )
    )


def table_by_interval(cases: Sequence[Case], records: Mapping[str, Sequence[Record]]) -> str:
    """Return what outages and stalls of 15 s lead to, at each scrape interval.

    Args:
        cases: All of them.
        records: Of each set-up that scrapes so often.
    """
    compared = [case for case in cases if is_compared(case)]
    outages, stalls = (
        _of(compared, Scenario.INCIDENT),
        [case for case in compared if case.scenario is not Scenario.INCIDENT],
    )
    columns: list[Column] = [
        ("start to alert", _alerts(outages)),
        ("end to recovery", _recoveries(outages)),
        ("called over before the end", lambda record: f"{record.early_recoveries(outages)} of {len(outages)}"),
        ("stalls of 15 s that were alerted on", _alerted(stalls)),
    ]
    lines = [
        ["Scrapes", "All slow or frozen, 10/s", *(head for head, _ in columns)],
        ["---"] * (len(columns) + 2),
        *(
            [every, record.setup, *(figure(record) for _, figure in columns)]
            for every, some in records.items()
            for record in some
        ),
    ]
    return _markdown(lines)


def spread(seconds: Sequence[float], of: int) -> str:
    """Return median, least and most; how many there were where some are missing."""
    if not seconds:
        return "–"
    missing = f", {len(seconds)} of {of}" if len(seconds) < of else ""
    return f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f}){missing}"


def _table(corner: str, columns: Sequence[Column], records: Sequence[Record]) -> str:
    lines = [
        [corner, *(head for head, _ in columns)],
        ["---"] * (len(columns) + 1),
        *([record.setup, *(figure(record) for _, figure in columns)] for record in records),
    ]
    return _markdown(lines)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _incident_columns(cases: Sequence[Case]) -> Iterator[Column]:
    for scenario, words in INCIDENTS.items():
        some = _of(cases, scenario)
        yield f"{words}: start to alert", _alerts(some)
        yield f"{words}: end to recovery", _recoveries(some)


def _stall_columns(cases: Sequence[Case]) -> Iterator[Column]:
    for scenario, words in STALLS.items():
        some = _of(cases, scenario)
        for seconds in sorted({case.seconds for case in some}):
            yield f"{words} {seconds} s", _alerted([case for case in some if case.seconds == seconds])


def _absence_columns(cases: Sequence[Case]) -> Iterator[Column]:
    incidents = [case for case in cases if case.scenario in INCIDENTS]
    killed, reload = _of(cases, Scenario.KILLED), _of(cases, Scenario.RELOAD)
    yield "called over before the end", lambda record: f"{record.early_recoveries(incidents)} of {len(incidents)}"
    yield "killed in mid-incident: called over", lambda record: f"{record.false_recoveries(killed)} of {len(killed)}"
    for scenario, words in SWINGS.items():
        yield f"{words} 0.9 to 1.1 s in {', '.join(map(str, PERIODS))} s: alerts of each", _each(_of(cases, scenario))
    yield "one person reloads a page of 2 s: start to alert", _alerts(reload)
    yield "and goes away: called over", _alerted(reload, Word.RECOVERY)
    yield "ended as expired", _alerted(reload, Word.ENDED)


def _of(cases: Sequence[Case], scenario: Scenario) -> list[Case]:
    return [case for case in cases if case.scenario is scenario]


def _alerts(cases: Sequence[Case]) -> Callable[[Record], str]:
    return lambda record: spread(record.seconds_to_alert(cases), len(cases))


def _recoveries(cases: Sequence[Case]) -> Callable[[Record], str]:
    return lambda record: spread(record.seconds_to_recovery(cases), len(cases))


def _alerted(cases: Sequence[Case], word: Word = Word.BREACH) -> Callable[[Record], str]:
    return lambda record: f"{record.alerted(cases, word)} of {len(cases)}"


def _each(cases: Sequence[Case]) -> Callable[[Record], str]:
    return lambda record: ", ".join(str(record.messages([case])) for case in cases)
