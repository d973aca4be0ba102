"""Charts: queried from Prometheus, drawn in a process of their own, and sent after the text that they belong to.

A picture is an extra. It is made when its text has been delivered, beside everything else, and whatever goes wrong with
it is logged, counted and forgotten: no text waits for one, none is repeated, and one that a crash has lost stays lost.
Once the incident is over, the chart of the whole of it takes the place of the one that was sent, without a sound.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from wine_slo.integrations.drawing.render_process import ChartProcess, DrawingError
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.slo.backoff import Backoff
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import ChannelError, ChannelOf
from wine_slo.slo.chat.messages import Picture
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.sampling import key_of
from wine_slo.slo.notification.plan import Notification
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Alert, Key, Objective, Objectives
from wine_slo.slo.reason import Reason, ReasonedError
from wine_slo.slo.source.deployment import Deployment, Reported
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Series
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.objective_detail import no_chart
from wine_slo.slo.views.chart_spec import (
    AFTER,
    ObjectiveSeries,
    ShownChart,
    caption_of,
    chart_of,
    end_lines,
    span_line,
    span_of,
    step_of,
)
from wine_slo.slo.views.deployments import known_deployments

log = logging.getLogger(__name__)

RATE_INTERVALS = 4  # scrapes that a rate spans, so that one may be missing
REPLACED_EVERY = 5.0  # seconds between two comparisons of what charts show with how their incidents stand
MOST_TRIES = 5  # to replace one
AGAIN = Backoff(timedelta(seconds=10), timedelta(minutes=10))  # between two of them
WITHIN = 25  # seconds for a whole picture, from the first question to the last byte sent; later it is no news


class NoChartError(ReasonedError):
    """There is no chart."""


class Charts:
    """Makes charts, and sends them after messages.

    Args:
        api: Prometheus.
        drawing: Draws.
        channel_of: The channel of an address.
        ledger: Knows of the incidents that are not at hand any more.
        snapshot: What is known now.
        recipients: Know where each chat is now.
        localizer: How things read for each.
        reports: The deployments that were reported.
        on_message: Called after each try to send one with the kind and the outcome: `told` or `failed`.
    """

    def __init__(  # noqa: PLR0913 - one place wires it, by name
        self,
        api: MetricSource,
        drawing: ChartProcess,
        channel_of: ChannelOf,
        ledger: Ledger,
        snapshot: Snapshot,
        *,
        recipients: Recipients,
        localizer: Localizer,
        reports: Callable[[], Sequence[Reported]],
        on_message: Callable[[Kind, str], None],
    ) -> None:
        self._api = api
        self._drawing = drawing
        self._channel_of = channel_of
        self._ledger = ledger
        self._snapshot = snapshot
        self._recipients = recipients
        self._localizer = localizer
        self._reports = reports
        self._on_message = on_message
        self._sending: set[asyncio.Task[None]] = set()
        self._shown: dict[tuple[int, Address], ShownChart] = {}
        self._failures: dict[ShownChart, tuple[int, datetime]] = {}  # how often, and until when it is left alone

    async def run(self) -> None:
        """Replace charts of incidents that are over, for ever; those of an earlier process among them."""
        try:
            known = await asyncio.to_thread(self._ledger.charts)
        except LedgerError as error:
            log.error("%s; the charts in chats stay as they are", error)  # noqa: TRY400 - expected
            known = []
        self._shown = {(each.incident, each.chat): each for each in known} | self._shown
        while True:
            try:
                await self.replace()
            except Exception:  # a picture must not end what runs for ever
                log.exception("charts were not replaced by a fault of ours; again in %.0f s", REPLACED_EVERY)
            await asyncio.sleep(REPLACED_EVERY)

    async def replace(self) -> None:
        """Replace every chart that does not show the end of its incident, and forget those of long ago."""
        state, now = self._snapshot.state, self._snapshot.now()
        if state.evaluated_at is None:
            return  # nothing is at hand yet
        gone = [key for key in self._shown if key[0] not in state.incidents or key[1] not in self._recipients]
        for key in gone:
            self._failures.pop(self._shown.pop(key), None)
        if gone:
            await self._write()
        for chart in list(self._shown.values()):
            incident = state.incidents[chart.incident]
            _, until = self._failures.get(chart, (0, now))
            if chart.is_outdated(incident) and now >= until:
                await self._replace(chart, incident)

    async def of(self, key: Key, fmt: Formatter, span: timedelta | None = None) -> Picture:
        """Return a chart of a key over a span that ends now; where none is said, from a while before its incident.

        Raises:
            NoChartError: Its objective does not exist, Prometheus does not answer, or it cannot be drawn.
        """
        if span is None:
            span = self._span(self._open_incident(key), self._snapshot.now())
        png, series = await self._drawn(key, fmt, span, self._snapshot.now())
        caption = caption_of(series, fmt, self._snapshot.state, self._snapshot.now())
        not_sent = no_chart(fmt, Reason("it could not be sent"))
        return Picture(png, caption, instead=not_sent)

    async def of_whole(self, incident: Incident, fmt: Formatter) -> Picture:
        """Return a chart of an incident that is over, from a while before it to its end.

        Raises:
            NoChartError: Its objective does not exist, Prometheus does not answer, or it cannot be drawn.
        """
        last = min(self._snapshot.now(), (incident.closed_at or self._snapshot.now()) + AFTER)
        png, series = await self._drawn(incident.key, fmt, self._span(incident, last), last)
        return Picture(png, "\n".join([*end_lines(fmt, incident), span_line(series, fmt)]))

    async def answer(self, key: Key, fmt: Formatter, span: timedelta | None = None) -> Picture | str:
        """Return a chart as `of` gives it, or in words why there is none.

        Whoever requested it is answered, whatever fails.
        """
        try:
            async with asyncio.timeout(WITHIN):
                return await self.of(key, fmt, span)
        except NoChartError as error:
            log.warning("no chart of %s: %s", key, error)
            reason = error.reason
        except TimeoutError:
            log.warning("no chart of %s within %d s", key, WITHIN)
            reason = Reason("it took longer than {seconds} s", {"seconds": WITHIN})
        except Exception:  # whoever requested it must not wait for nothing
            log.exception("a chart of %s failed by a fault of ours", key)
            reason = Reason("internal error, see the log")
        return no_chart(fmt, reason)

    def follow(self, chat: Address, notification: Notification, message: int) -> None:
        """Send a chart after the message of a breach, as a reply to it; returns at once and never fails."""
        if not self._channel_of(chat).capabilities.pictures:
            return
        incident, fmt = self._snapshot.state.incidents.get(notification.after.incident), self._localizer.fmt(chat)
        if notification.kind is not Kind.BREACH or not notification.loud or notification.others or incident is None:
            return
        if incident.openings > 1 or fmt.objectives.of(incident.key) is None:
            return
        task = asyncio.create_task(self._send(chat, incident, message, fmt), name=f"chart of #{incident.number}")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def stop(self) -> None:
        """Give up every picture that is being made."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _send(self, chat: Address, incident: Incident, message: int, fmt: Formatter) -> None:
        key = incident.key
        try:
            async with asyncio.timeout(WITHIN):
                picture = await self.of(key, fmt)
                shown = await self._channel_of(chat).show(self._recipients.address(chat), picture, reply_to=message)
        except (NoChartError, ChannelError, TimeoutError) as error:
            log.warning("chat %s gets no chart of %s: %s", chat.place, key, str(error) or "it took too long")
            self._on_message(Kind.CHART, "failed")
        except Exception:  # a picture must not end what delivers
            log.exception("a chart of %s failed by a fault of ours", key)
            self._on_message(Kind.CHART, "failed")
        else:
            await self._keep(ShownChart(incident=incident.number, chat=chat, message=shown))
            log.info("chat %s was sent a chart of %s", chat.place, key)
            self._on_message(Kind.CHART, "told")

    async def _replace(self, chart: ShownChart, incident: Incident) -> None:
        """Have the message of a chart show the whole incident; what fails is tried again, but not for ever."""
        fmt, channel = self._localizer.fmt(chart.chat), self._channel_of(chart.chat)
        outcome, tries = "told", self._failures.pop(chart, (0, None))[0] + 1
        try:
            async with asyncio.timeout(WITHIN):
                picture = await self.of_whole(incident, fmt)
                await channel.redraw(self._recipients.address(chart.chat), chart.message, picture)
        except (NoChartError, ChannelError, TimeoutError) as error:
            outcome, why = "failed", str(error) or "it took too long"
            log.warning("chat %s: the chart of #%d was not replaced: %s", chart.chat.place, incident.number, why)
            is_refused = isinstance(error, ChannelError) and (error.permanent or error.message_gone)
            if tries < MOST_TRIES and not is_refused:
                wait = error.retry_after if isinstance(error, ChannelError) and error.retry_after else AGAIN.wait(tries)
                self._failures[chart] = tries, self._snapshot.now() + wait
                self._on_message(Kind.CHART, outcome)
                return
        await self._keep(replace(chart, shows_end=incident.closed_at))
        self._on_message(Kind.CHART, outcome)

    async def _keep(self, chart: ShownChart) -> None:
        self._shown[chart.incident, chart.chat] = chart
        await self._write()

    async def _write(self) -> None:
        try:
            await asyncio.to_thread(self._ledger.keep_charts, list(self._shown.values()))
        except LedgerError as error:
            log.error("%s; after a restart a chart may be drawn once more, or stay as it is", error)  # noqa: TRY400 - expected

    def _span(self, incident: Incident | None, last: datetime) -> timedelta:
        """Return how long a chart that ends at an instant is where nobody says: from a while before its incident."""
        span = span_of(incident, last)
        return span if incident is None or incident.burn is None else max(span, incident.burn.long)

    async def _drawn(self, key: Key, fmt: Formatter, span: timedelta, last: datetime) -> tuple[bytes, ObjectiveSeries]:
        """Return a chart of a key over a span that ends at an instant, and what it is drawn of.

        Raises:
            NoChartError: Its objective does not exist, Prometheus does not answer, or it cannot be drawn.
        """
        objective = fmt.objectives.of(key)
        if objective is None:
            raise NoChartError("there is no objective {name}", name=key.objective)
        try:
            series = await self._series(replace(key, alert=Alert.BREACH), objective, span, last)
            series = replace(series, deployments=self._deployments(objective, series.incidents, fmt.objectives))
            return await self._drawing.draw(chart_of(series, objective, fmt)), series
        except MetricSourceError as error:
            raise NoChartError("Prometheus: {why}", why=error.reason) from error
        except DrawingError as error:
            raise NoChartError(error.reason) from error

    def _open_incident(self, key: Key) -> Incident | None:
        return next((each for each in self._snapshot.state.open_incidents if each.key == key), None)

    async def _series(self, key: Key, objective: Objective, span: timedelta, last: datetime) -> ObjectiveSeries:
        """Return how a key went over a span that ends at an instant.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        step = step_of(span, objective.scrape_interval)
        first = last - span // step * step
        over = max(step, RATE_INTERVALS * objective.scrape_interval)
        values, events, incidents = await asyncio.gather(
            self._api.query_range(promql.value(objective, over), first, last, step),
            self._api.query_range(promql.events(objective, over), first, last, step),
            self._incidents(key, first),
        )
        rates = {at: count / over.total_seconds() for at, count in _of(key, objective, events).items()}
        return ObjectiveSeries(
            key=key,
            first=first,
            last=last,
            step=step,
            values=_of(key, objective, values),
            rates=rates,
            incidents=incidents,
        )

    def _deployments(
        self, objective: Objective, older: Iterable[Incident], objectives: Objectives
    ) -> tuple[Deployment, ...]:
        """Return those of an objective's job that are known."""
        incidents = (*older, *self._snapshot.state.incidents.values())
        known = known_deployments(incidents, objectives, self._reports())
        return tuple(each for job, each in known if job == objective.job)

    async def _incidents(self, key: Key, since: datetime) -> tuple[Incident, ...]:
        """Return those of a key that lasted into a time, older ones from the ledger.

        What that cannot say is not shaded.
        """
        known = {each.number: each for each in self._snapshot.state.incidents.values() if each.key == key}
        try:
            older = await asyncio.to_thread(self._ledger.incidents, key=key, since=since)
        except LedgerError as error:
            log.warning("%s; a chart shades only what is at hand", error)
            older = []
        return tuple(({each.number: each for each in older} | known).values())


def _of(key: Key, objective: Objective, series: list[Series]) -> dict[float, float]:
    """Return the points of one label set."""
    for each in series:
        if key_of(objective, each.labels) == key:
            return each.points
    return {}
