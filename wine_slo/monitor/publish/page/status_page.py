"""The watchdog's pages for people and machines: `/`, a status page without a script, and `/api/status`.

The page says how old its numbers are, and is green only where an evaluation saw so. It loads nothing from elsewhere,
and comes whether or not Prometheus answers.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from http import HTTPStatus
from pathlib import Path

import msgspec
from aiohttp import web

from wine_slo.http.pages import SHARED, StaticFiles, Template, page, template
from wine_slo.http.problem import Problem
from wine_slo.http.routes import Route
from wine_slo.monitor.publish.page.chart import HEIGHT, WIDTH, PageChart, picture_of
from wine_slo.monitor.publish.page.finder import BADGES, finder_of
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.objectives.kinds import KINDS
from wine_slo.slo.objectives.objective import Alert, Objectives
from wine_slo.slo.redaction import without_credentials
from wine_slo.slo.text.language import ENGLISH
from wine_slo.slo.views import status_text
from wine_slo.slo.views.finding.query import Query, SelectionError
from wine_slo.slo.views.series import History
from wine_slo.slo.views.status_schema import IncidentStatus, Judgement, ObjectiveStatus, Status

FILES = Path(__file__).parents[1] / "web"
SPANS = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "1d": timedelta(days=1)}
SPAN_NAMES = {"1h": "hour", "6h": "6 hours", "1d": "day"}
percent, seconds, span = ENGLISH.percent, ENGLISH.seconds, ENGLISH.span  # the page is in English only
rate, number = ENGLISH.rate, ENGLISH.number

RELOADS_AFTER = 15  # seconds
RELOADS_SEARCH_AFTER = 60  # seconds, of a page in which somebody may be typing
MOST_SHOWN = 25  # label sets on one page, the worst first
MOST_ANSWERED = 1000  # in one answer of /api/status
MOST_ROWS = 25  # open incidents on one page
SLOWEST = 3  # endpoints in one line
FIRST = Query(per_page=MOST_SHOWN)


@dataclass(frozen=True, slots=True)
class ObjectiveCard:
    """All that the page says of one objective."""

    status: ObjectiveStatus
    is_drill: bool
    badge: str
    value: str
    meaning: str
    target: str
    since: str
    people: tuple[str, ...]
    facts: tuple[str, ...]
    budget: str
    left: float | None  # 0 to 1
    picture: PageChart | None


@dataclass(frozen=True, slots=True)
class Row:
    """All that the page says of one incident."""

    incident: IncidentStatus
    when: str
    facts: tuple[str, ...]


class StatusPages:
    """Answers for what the watchdog knows.

    Args:
        view: Returns what says how everything stands now, or what is searched for; that may be called in any thread.
        objectives: All objectives, which name what can be chosen.
        history: How some objectives, by their names, went over a span that ends now.
        zone: Of the times on the page; those of `/api/status` are UTC.
        links: Names and addresses of other pages about the same, shown at the foot.
    """

    def __init__(
        self,
        view: Callable[[], Callable[[Query], Status]],
        objectives: Callable[[], Objectives],
        history: Callable[[timedelta, frozenset[str]], Awaitable[History]],
        zone: tzinfo,
        links: Mapping[str, str],
    ) -> None:
        self._view = view
        self._objectives = objectives
        self._history = history
        self._zone = zone
        self._links = links

    @cached_property
    def _template(self) -> Template:
        return template(FILES, "status.html")

    def routes(self) -> dict[str, Route]:
        """Return the endpoints by their paths."""
        files = StaticFiles(SHARED, FILES)
        return {
            "/": Route(web.get, self._show, (200, 400)),
            "/api/status": Route(web.get, self._give, (200, 400)),
            "/web/{file}": Route(web.get, files.send, (200, 404)),
        }

    async def _give(self, request: web.Request) -> web.Response:
        """Return how every objective stands, or those that are searched for, as JSON; the worst first."""
        try:
            query = Query.parse(request.query, self._objectives(), per_page=MOST_ANSWERED)
        except SelectionError as error:
            return Problem(HTTPStatus.BAD_REQUEST, str(error)).document()
        view = self._view()
        body = await asyncio.to_thread(lambda: msgspec.json.encode(view(query)))
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _show(self, request: web.Request) -> web.Response:
        """Return the status page: the worst objectives, or those that are searched for."""
        mistake = ""
        try:
            query = Query.parse(request.query, self._objectives(), per_page=MOST_SHOWN)
        except SelectionError as error:
            query, mistake = Query(per_page=MOST_SHOWN), str(error)
        query = replace(query, per_page=MOST_SHOWN)
        chosen = request.query.get("span", "")
        chosen = chosen if chosen in SPANS else next(iter(SPANS))
        status = await asyncio.to_thread(self._view(), query)
        history = await self._history(SPANS[chosen], frozenset(each.objective for each in status.objectives))
        reloads = request.query.get("reload") != "off"
        text = self.render(status, history, chosen, reloads=reloads, query=query, mistake=mistake)
        return page(text, HTTPStatus.BAD_REQUEST if mistake else HTTPStatus.OK, has_form=True)

    def render(
        self,
        status: Status,
        history: History,
        chosen: str = "1h",
        *,
        reloads: bool = True,
        query: Query = FIRST,
        mistake: str = "",
    ) -> str:
        """Return the page.

        Args:
            status: How everything stands.
            history: How it went.
            chosen: The name of the trend's span.
            reloads: Whether the page has the browser load it again.
            query: What is searched for and chosen.
            mistake: What is wrong with the address; empty where nothing is.
        """
        kept = {"span": chosen} | ({} if reloads else {"reload": "off"})
        finder = finder_of(status, query, self._objectives().all, kept, MOST_SHOWN)
        after = RELOADS_AFTER if finder is None else RELOADS_SEARCH_AFTER
        incidents: dict[str, list[IncidentStatus]] = {}
        for each in (*status.open_incidents, *status.recent_incidents):
            incidents.setdefault(each.slo, []).append(each)
        headline, mood = _headline(status)
        return self._template.render(
            status=status,
            headline=headline,
            mood=mood,
            age=None if status.seconds_since_look is None else span(timedelta(seconds=status.seconds_since_look)),
            poll=span(timedelta(seconds=status.poll_seconds)),
            undelivered=span(timedelta(seconds=status.untold_seconds)) if status.untold_seconds >= 1 else "",
            cards=[self._card(each, status, history, incidents.get(each.slo, [])) for each in status.objectives],
            finder=finder,
            mistake=mistake,
            open_rows=[self._row(each, status) for each in status.open_incidents[:MOST_ROWS]],
            more_open=status.open_incidents_total - len(status.open_incidents[:MOST_ROWS]),
            recent_rows=[self._row(each, status) for each in status.recent_incidents],
            silences=[
                f"{each.title}: {status_text.silenced(each, status.now, self._zone)}" for each in status.silences
            ],
            unreachable=status.unreachable,
            leadership=status_text.leadership(status.leadership),
            replicas=[text for each in status.replicas if (text := status_text.replica(each, status.now))],
            history=history,
            first=self._clock(history.first, history.last),
            last=self._clock(history.last, history.last),
            chosen=chosen,
            spans=SPAN_NAMES,
            reloads_after=after if reloads else None,
            sought=f"&{address}" if (address := query.address()) else "",
            links=self._links,
            now=status.now.astimezone(self._zone),
            width=WIDTH,
            height=HEIGHT,
        )

    def _clock(self, instant: datetime, now: datetime) -> str:
        """Return a time of day, with its date where that is not today's."""
        local, today = instant.astimezone(self._zone), now.astimezone(self._zone)
        return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%d %b %H:%M}"

    def _card(
        self, slo: ObjectiveStatus, status: Status, history: History, incidents: Sequence[IncidentStatus]
    ) -> ObjectiveCard:
        points = next((each for key, each in history.values.items() if str(key) == slo.slo), {})
        since, is_drill = "", False
        if slo.incident is not None:
            incident = next(each for each in incidents if each.number == slo.incident)
            began_at, is_drill = incident.again_at or incident.began_at, incident.is_drill
            since = f"since {self._beginning(began_at, status.now)} ({span(status.now - began_at)})"
        elif slo.verdict is Judgement.UNKNOWN and slo.sight_since is not None and slo.reason:
            since = f"for {span(status.now - slo.sight_since)}"
        elif slo.state_since is not None and slo.verdict is not Judgement.UNKNOWN:
            since = f"for {span(status.now - slo.state_since)}"
        left = None if slo.is_budget_young else slo.budget_remaining_ratio
        if slo.last_known_budget is not None:
            left = slo.last_known_budget.remaining_ratio
        value, facts = status_text.value(slo), [*_facts(slo)]
        if slo.verdict is Judgement.UNKNOWN and value:
            value, facts = "", [f"last known {value}", *facts]
        return ObjectiveCard(
            status=slo,
            is_drill=is_drill,
            badge="recovering, in breach" if slo.state is Phase.RECOVERING else BADGES[slo.verdict],
            value=value,
            meaning=status_text.meaning(slo),
            target=status_text.target(slo),
            since=since,
            people=tuple(self._people(slo, status)),
            facts=tuple(facts),
            budget=status_text.budget(slo, status.now, self._zone),
            left=None if left is None else min(max(left, 0.0), 1.0),
            picture=picture_of(slo, points, history, incidents, self._zone)
            if slo.objective in history.names and (history.values or not history.trouble)
            else None,
        )

    def _row(self, incident: IncidentStatus, status: Status) -> Row:
        began = incident.again_at or incident.began_at
        end = status.now if incident.is_open else incident.last_bad_at
        lasted, first = span(end - began), self._beginning(began, status.now)
        if incident.is_open:
            when = f"since {first} ({lasted})"
        else:
            when = f"{first} to {self._beginning(end, began)} ({lasted})"
        return Row(incident, when, tuple(self._facts(incident, status)))

    def _people(self, about: ObjectiveStatus | IncidentStatus, status: Status) -> Iterator[str]:
        """Yield who has acknowledged something, and what is silenced by whom and until when."""
        if about.acknowledged_by is not None:
            yield status_text.acknowledged(about.acknowledged_by, about.acknowledged_at, status.now, self._zone)
        if about.silence is not None:
            yield status_text.silenced(about.silence, status.now, self._zone)

    def _beginning(self, instant: datetime, now: datetime) -> str:
        return status_text.beginning(instant, now, self._zone)

    def _facts(self, incident: IncidentStatus, status: Status) -> Iterator[str]:
        slo = next((each for each in status.objectives if each.slo == incident.slo), None)
        yield from self._people(incident, status)
        worst = status_text.worst(incident)
        if worst:
            at = f" at {self._clock(incident.worst_at, status.now)}" if incident.worst_at else ""
            yield f"worst {worst}{at}"
        if round(incident.opening_total_events):
            yield f"{incident.opening_bad_events:,.0f} of {incident.opening_total_events:,.0f} bad"
        if cause := status_text.cause(incident):
            yield cause
        if incident.openings > 1:
            in_all = sum(((each.ended_at or status.now) - each.began_at for each in incident.bad_times), timedelta(0))
            first = self._beginning(incident.began_at, status.now)
            yield (
                f"in breach {incident.openings} times since {first}, {span(in_all)} in all, "
                f"{incident.bad_events:,.0f} of {incident.total_events:,.0f} bad"
            )
        is_known = slo is None or not slo.is_budget_young
        if incident.budget_burnt_ratio and is_known:
            yield f"spent {percent(incident.budget_burnt_ratio)} of the error budget"
        if incident.alert is not Alert.BREACH:
            yield "the error budget burns too fast"
        if incident.held:
            yield f"kept open: {incident.reason}"
        elif incident.is_open and incident.reason:
            yield incident.reason
        if incident.deployment is not None:
            yield status_text.deployed(incident.deployment, incident.again_at or incident.began_at)
        yield from _nature(incident)


def links_of(grafana_url: str | None) -> dict[str, str]:
    """Return the pages that the foot of the page leads to."""
    return {"Grafana": without_credentials(grafana_url)} if grafana_url else {}


def _nature(incident: IncidentStatus) -> Iterator[str]:
    """Yield what an incident is, or how it ended, where that is out of the ordinary."""
    if incident.outcome is Outcome.EXPIRED:
        yield "expired without data; this is not a recovery"
    if incident.outcome is Outcome.WITHDRAWN:
        yield "its objective was removed"


def _headline(status: Status) -> tuple[str, Judgement]:
    """Return the one sentence to read, and its colour; green only where everything was seen to be met.

    It is about all objectives, whichever are shown.
    """
    counts = Counter(each.verdict for each in status.objectives)
    if status.selection is not None:
        counts = Counter({each: status.selection.by_state[each] for each in Judgement})
    count = counts.total()
    objectives = "objective" if count == 1 else "objectives"
    if counts[Judgement.BREACHED]:
        return f"{number(counts[Judgement.BREACHED])} of {number(count)} {objectives} in breach", Judgement.BREACHED
    if status.looked_at is None:
        return "Not evaluated yet", Judgement.UNKNOWN
    if status.overdue:
        return "Unknown: the last evaluation is too old", Judgement.UNKNOWN
    if counts[Judgement.UNKNOWN] == count:
        return "Nothing can be judged at the moment", Judgement.UNKNOWN
    if counts[Judgement.SUSPICIOUS]:
        return "A breach is pending", Judgement.SUSPICIOUS
    if counts[Judgement.UNKNOWN]:
        known = f"{number(counts[Judgement.MET])} of {number(count)} {objectives} met"
        return f"{known}, the rest not known", Judgement.UNKNOWN
    return ("The objective is met" if count == 1 else f"All {number(count)} objectives are met"), Judgement.MET


def _facts(slo: ObjectiveStatus) -> Iterator[str]:
    if slo.events_per_second is not None and not KINDS[slo.kind].is_about_targets:
        yield f"{rate(slo.events_per_second)} requests a second"
    if down := status_text.down(slo):
        yield down
    if slo.doubt:
        yield f"slo.yml may be wrong here: {slo.doubt}"
    if len(slo.by_endpoint_seconds) > 1:  # a single one, such as the name of a port, says nothing of where
        slowest = list(slo.by_endpoint_seconds.items())[:SLOWEST]
        bounds = slo.bucket_bounds_seconds
        yield "slowest: " + ", ".join(f"{name} {ENGLISH.latency(value, bounds)}" for name, value in slowest)
    history = slo.budget_history_seconds or 0.0
    known = [each for each in slo.burn_rates if each.burn_rate and each.window_seconds <= history]
    if known and not slo.is_budget_young:
        yield "burn rate: " + ", ".join(f"{each.window} {rate(each.burn_rate or 0.0)}×" for each in known)
