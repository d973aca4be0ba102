"""An evening on which much happened to the service, as the real Prometheus holds it, and what draws charts of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.real.history import Chapter, History
from tests.support.real.prometheus import Prometheus, scraping
from tests.support.scene import AVAILABILITY, ERRORS, LATENCY, incident
from wine_slo.integrations.console.channel import ConsoleChannel
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.publish.charts import Charts
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.deployment import Reported
from wine_slo.slo.text.formatting import Formatter

MINUTE = timedelta(minutes=1)
BEGINS = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
DURATION = 150 * MINUTE
ENDS = BEGINS + DURATION
SPAN = 2 * 60 * MINUTE  # of a chart that shows all of it
SLOW, QUIET, DOWN, AWAY = (
    Chapter(since=100 * MINUTE, until=114 * MINUTE, slow=0.4, failed=0.03),
    Chapter(since=60 * MINUTE, until=72 * MINUTE, rate=0.0),
    Chapter(since=80 * MINUTE, until=84 * MINUTE, is_down=True),
    Chapter(since=125 * MINUTE, until=132 * MINUTE, is_away=True),
)
FAILED = replace(
    ERRORS,
    title="Error rate",
    source=Ratio(('responses_total{job="wine-slo", status=~"5.."}',), ('responses_total{job="wine-slo"}',)),
)
ALL = Objectives.only(LATENCY, FAILED, AVAILABILITY)
BREACH = incident(began_at=BEGINS + SLOW.since, last_bad_at=BEGINS + SLOW.until, closed_at=BEGINS + SLOW.until + MINUTE)
DEPLOYED = Reported(job="wine-slo", version="1.5.0", at=BREACH.began_at - 4 * MINUTE)


def written(folder: Path) -> Path:
    """Write the evening into the data of a Prometheus in a folder, and return that."""
    History(begins_at=BEGINS, duration=DURATION, chapters=(QUIET, DOWN, SLOW, AWAY)).write(folder / "data")
    return folder


@asynccontextmanager
async def charts_of(folder: Path, drawing: ChartProcess) -> AsyncIterator[Charts]:
    """Run the Prometheus, and give what draws at the end of the evening, when the breach is over."""
    prometheus = Prometheus(folder, scraping("127.0.0.1:9"))
    await prometheus.start()
    ledger = Ledger.open(f"sqlite:///{folder / 'watchdog.db'}")
    state = State(incidents={BREACH.number: BREACH})
    recipients = Recipients(ledger, ledger.load(), [], ENDS)
    async with aiohttp.ClientSession() as session:
        yield Charts(
            PrometheusClient(session, prometheus.url, {}),
            drawing,
            lambda _address: ConsoleChannel(None),
            ledger,
            FakeSnapshot(lambda: state, lambda: ENDS),
            recipients=recipients,
            localizer=Localizer(recipients, lambda _language: Formatter(ALL, UTC)),
            reports=lambda: (DEPLOYED,),
            on_message=lambda _kind, _outcome: None,
        )
    ledger.close()
    await prometheus.kill()
