"""Read objectives through every replica of the metric source, and choose by which one each key is judged.

A replica that is slow holds up an evaluation once, and for a moment: afterwards it is read beside the evaluations until
it has answered again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from wine_slo.monitor.evaluate.queries.reader import LATE, Reader
from wine_slo.monitor.evaluate.replicas.source import Replicas
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.reading import Reading, untrusted
from wine_slo.slo.evaluation.sampling import read_blind
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.objectives.selector import few
from wine_slo.slo.replicas.panel import Choice, Panel, choose
from wine_slo.slo.replicas.replica_state import ReplicaState, replica_states
from wine_slo.slo.replicas.view import View
from wine_slo.slo.source.clocks import SourceClock
from wine_slo.slo.source.metric_source import MetricSource

PATIENCE = 2.0  # seconds that an evaluation waits for the others once a replica that sees has answered

log = logging.getLogger(__name__)


class Readers:
    """Reads objectives through every replica.

    Args:
        api: The metric source; of one that is no `Replicas` there is nothing to choose.
        reader_of: Makes what reads through one replica.
        now: Reads the clock of the state.
    """

    def __init__(self, api: MetricSource, reader_of: Callable[[MetricSource], Reader], now: SourceClock) -> None:
        self._now = now
        self._replicas = api if isinstance(api, Replicas) else Replicas({"": api})
        self._readers = {name: reader_of(each) for name, each in self._replicas.members.items()}
        self._late: dict[tuple[str, str], asyncio.Task[View]] = {}  # by objective and replica: what is read beside
        self._panels: dict[str, Panel] = {}  # by objective
        self._counted: set[tuple[Key, datetime]] = set()  # disagreements

    async def read(self, state: State, objectives: Objectives) -> tuple[dict[Key, Reading], dict[Key, KeyState]]:
        """Return what is seen now, and the tracks that are judged on in place of those of the state.

        Args:
            state: What was known.
            objectives: All objectives.
        """
        tracks: dict[str, dict[Key, KeyState]] = {each.name: {} for each in objectives.all}
        for key, track in state.tracks.items():
            tracks.setdefault(key.objective, {})[key] = track
        own = [replace(state, tracks=tracks[each.name]) for each in objectives.all]  # all others would be searched too
        choices = await asyncio.gather(*map(self._choice, objectives.all, own))
        if len(self._readers) > 1:
            self._note(objectives.all, choices, self._now())
        return (
            {key: reading for each in choices for key, reading in each.readings.items()},
            {key: track for each in choices for key, track in each.tracks.items()},
        )

    def replica_states(self, objectives: Objectives) -> tuple[ReplicaState, ...]:
        """Return how each replica stands, in the order of the settings; none where there is but one."""
        if len(self._readers) < 2:
            return ()
        panels = [(each, self._panels[each.name]) for each in objectives.all if each.name in self._panels]
        return replica_states(tuple(self._readers), panels, self._now())

    async def _choice(self, objective: Objective, state: State) -> Choice:
        if len(self._readers) == 1:
            (reader,) = self._readers.values()
            return Choice((await reader.read(objective, state)).readings, {}, Panel())
        views = await self._views(objective, state)
        panel = self._panels.get(objective.name, Panel())
        try:
            return await asyncio.to_thread(choose, objective, state, views, panel)
        except (ValueError, ArithmeticError):
            log.exception("replicas of %s cannot be compared", objective.name)
            return Choice(views[panel.main or next(iter(views))].readings, {}, panel)

    async def _views(self, objective: Objective, state: State) -> dict[str, View]:
        """Return what each replica reads; of one that is late, that it is."""
        tasks: dict[str, asyncio.Task[View]] = {}
        awaited: dict[str, asyncio.Task[View]] = {}
        for name, reader in self._readers.items():
            late = self._late.pop((objective.name, name), None)
            is_running = late is not None and not late.done()
            task = tasks[name] = late if late and is_running else asyncio.create_task(reader.read(objective, state))
            if late is None or (late.done() and not _is_unanswered(late.result())):
                awaited[name] = task
        views = await _awaited(awaited or tasks)
        self._late |= {(objective.name, name): task for name, task in tasks.items() if name not in views}
        late_view = View(read_blind(objective, state, self._now(), untrusted(LATE), is_unanswered=True))
        return {name: views.get(name, late_view) for name in self._readers}

    def _note(self, objectives: Sequence[Objective], choices: Sequence[Choice], now: datetime) -> None:
        """Keep what is remembered; log and count what has changed."""
        known, self._panels = self._panels, {}
        news: dict[str, list[str]] = {}  # objectives by what is to be said of them
        for objective, choice in zip(objectives, choices, strict=True):
            before, panel = known.get(objective.name, Panel()), choice.panel
            self._panels[objective.name] = panel
            found = [
                f"{name} is left out ({panel.left[name].reason})" for name in panel.left.keys() - before.left.keys()
            ]
            found += [f"{name} sees again" for name in before.left.keys() - panel.left.keys()]
            if before.main and panel.main != before.main:
                found.append(f"judged by {panel.main} from now on, not by {before.main}")
                self._replicas.count("switched_to", panel.main)
            for key, each in panel.disagreements(objective, now).items():
                if (key, each.since) not in self._counted:
                    self._counted.add((key, each.since))
                    found.append(f"worse by {', '.join(each.bad)} than by {', '.join(each.good)}")
                    for name in each.bad:
                        self._replicas.count("worse_than_others", name)
            for sentence in found:
                news.setdefault(sentence, []).append(objective.name)
        for sentence, names in news.items():
            log.warning("%s: %s", sentence, few(names))
        self._counted = {
            (key, each.since)
            for panel in self._panels.values()
            for key, each in panel.unlike.items()
            if (key, each.since) in self._counted
        }
        mains = Counter(each.panel.main for each in choices)
        if mains:
            self._replicas.prefer(mains.most_common(1)[0][0])


async def _awaited(tasks: Mapping[str, asyncio.Task[View]]) -> dict[str, View]:
    """Return what the replicas read that answer in time; those of one that sees wait for the others for a moment."""
    running = set(tasks.values())
    while running and not any(each.done() and each.result().is_seeing for each in tasks.values()):
        _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    if running:
        await asyncio.wait(running, timeout=PATIENCE)
    return {name: each.result() for name, each in tasks.items() if each.done()}


def _is_unanswered(view: View) -> bool:
    return view.best is not None and view.best.is_unanswered
