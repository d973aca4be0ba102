"""What is known of each objective, as the lines of `/metrics`.

They are written anew after each evaluation and kept as text: a gauge of the client library for each of some hundred
thousand values takes more memory than everything else.
"""

from collections.abc import Iterator

from wine_slo import metric_names as names
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives.budget import windows
from wine_slo.slo.objectives.objective import Objective, Objectives

PHASES = {phase: number for number, phase in enumerate(Phase)}  # their numbers are those of the help text
SIGHTS = {sight: number for number, sight in enumerate(Sight)}
BY_SLO = (names.SLO,)
DESCRIBED = {  # in the order of the page
    names.SLO_STATE: ("0 met, 1 breaching, 2 breached, 3 recovering.", BY_SLO),
    names.SLO_SIGHT: ("0 clear, 1 no traffic, 2 too few, 3 target down, 4 stale, 5 blind.", BY_SLO),
    names.SLO_LATENCY_SECONDS: ("The quantile of the objective over its range.", BY_SLO),
    names.SLO_SLI_RATIO: ("The share of good events over the objective's range.", BY_SLO),
    names.SLO_OBJECTIVE_RATIO: ("The share of good events that the objective wants.", BY_SLO),
    names.SLO_ERROR_BUDGET_REMAINING_RATIO: ("The share of the error budget that is left.", BY_SLO),
    names.SLO_BURN_RATE: (
        "Burn rate of the error budget: 1 spends it exactly in the window.",
        (names.SLO, names.WINDOW),
    ),
}


def samples_of(state: State, objectives: Objectives) -> dict[str, bytes]:
    """Return the lines of each gauge, by its name; what is not known has none."""
    lines: dict[str, list[str]] = {name: [] for name in DESCRIBED}
    burns = {each.name: [(span, each.name_of(span)) for span in windows(each)] for each in objectives.all}
    for key, track in state.tracks.items():
        objective, reading = objectives.of(key), state.readings.get(key)
        if objective is None or reading is None:
            continue
        slo = f'{names.SLO}="{_escaped(str(key))}"'
        for name, value in _values(objective, track, reading):
            if value is not None:
                lines[name].append(f"{name}{{{slo}}} {value!r}\n")
        if reading.budget is not None:
            for span, window in burns[objective.name]:
                rate = reading.budget.burn_rate(objective, span)
                if rate is not None:
                    lines[names.SLO_BURN_RATE].append(
                        f'{names.SLO_BURN_RATE}{{{slo},{names.WINDOW}="{window}"}} {rate!r}\n'
                    )
    return {name: "".join(each).encode(errors="replace") for name, each in lines.items()}


def _values(objective: Objective, track: KeyState, reading: Reading) -> Iterator[tuple[str, float | None]]:
    """Yield each value of a label set but its burn rates."""
    yield names.SLO_STATE, float(PHASES[track.phase])
    yield names.SLO_SIGHT, float(SIGHTS[track.sight])
    yield names.SLO_LATENCY_SECONDS, reading.latency_seconds
    yield names.SLO_SLI_RATIO, reading.good_ratio
    yield names.SLO_OBJECTIVE_RATIO, objective.ratio
    if reading.budget is not None:
        yield names.SLO_ERROR_BUDGET_REMAINING_RATIO, reading.budget.remaining(objective)


def _escaped(text: str) -> str:
    """Return the value of a label as the format has it."""
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
