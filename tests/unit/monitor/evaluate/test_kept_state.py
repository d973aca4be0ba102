"""What an evaluation writes: whatever matters at once, and of many label sets that are well only some."""

from dataclasses import replace
from datetime import timedelta

from tests.support.fakes.prometheus_wide import WidePrometheus
from tests.support.scene import LATENCY, START, incident
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.evaluate.evaluator import QUIET_AT_ONCE, Evaluator, as_evaluated, to_keep
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Interval, Sight
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.source.clocks import WallTime

MANY = 1000
BY = replace(LATENCY, by=("endpoint",))
KEYS = [Key("latency", (("endpoint", f"/{number}"),)) for number in range(MANY)]
LATER = timedelta(seconds=30)
BAD = Interval(START, bad=5, total=10)


class CountingLedger(Ledger):
    """A ledger that counts the label sets that it writes."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.state = State()

    def save(self, before: State, after: State) -> None:
        changed = [key for key, each in after.tracks.items() if before.tracks.get(key) != each]
        self.written.append(len(changed))
        self.state = after


def well(**changes: object) -> State:
    tracks = {key: KeyState(key=key, since=START, sight_since=START, judged_until=START) for key in KEYS}
    return State(tracks={key: replace(each, **changes) for key, each in tracks.items()})  # type: ignore[arg-type]


async def test_of_a_thousand_label_sets_that_are_well_an_evaluation_writes_a_handful() -> None:
    prometheus, ledger, now = WidePrometheus(MANY), CountingLedger(), START + timedelta(hours=1)
    evaluator = Evaluator(prometheus, ledger, Objectives.only(BY), State(), lambda: WallTime(now))
    for _ in range(3):
        await evaluator.evaluate()
        now += LATER
    assert ledger.written[0] == MANY
    assert all(count <= QUIET_AT_ONCE for count in ledger.written[1:])
    assert ledger.state.tracks.keys() == evaluator.state.tracks.keys()


def test_each_of_them_is_written_in_its_turn() -> None:
    saved = well()
    for number in range(1, MANY // QUIET_AT_ONCE + 1):
        saved = to_keep(saved, well(judged_until=START + number * LATER))
    assert all(each.judged_until and each.judged_until > START for each in saved.tracks.values())


def test_whatever_is_not_well_or_is_not_as_it_was_is_written_at_once() -> None:
    saved = well()
    changes: list[dict[str, object]] = [
        {"phase": Phase.BREACHING, "evidence": (BAD,)},
        {"incident": incident().number},
        {"sight": Sight.TARGET_DOWN, "sight_since": START + LATER},
        {"sight": Sight.NO_TRAFFIC, "quiet_since": START},
        {"reason": "only 3 of the 5 requests"},
        {"since": START + LATER},
    ]
    for change in changes:
        after = well(judged_until=START + LATER, **change)
        assert to_keep(saved, after) == after, change
    open_before = well(phase=Phase.BREACHED, incident=12, evidence=(BAD,))
    moved = replace(
        open_before, tracks={k: replace(t, judged_until=START + LATER) for k, t in open_before.tracks.items()}
    )
    assert to_keep(open_before, moved) == moved


def test_what_is_gone_is_not_kept() -> None:
    assert to_keep(well(), State()) == State()


def test_what_is_few_is_written_as_it_is() -> None:
    few = {key: each for key, each in list(well().tracks.items())[:QUIET_AT_ONCE]}  # noqa: C416
    after = {key: replace(each, judged_until=START + LATER) for key, each in few.items()}
    assert to_keep(State(tracks=few), State(tracks=after)) == State(tracks=after)


def test_what_was_written_long_ago_and_was_well_had_requests_until_lately() -> None:
    now = START + timedelta(hours=2)
    known = as_evaluated(replace(well(), evaluated_at=now), Objectives.only(BY))
    assert {each.judged_until for each in known.tracks.values()} == {now - LATENCY.over}
    silent = replace(well(sight=Sight.NO_TRAFFIC, quiet_since=START), evaluated_at=now)
    assert as_evaluated(silent, Objectives.only(BY)) == silent
