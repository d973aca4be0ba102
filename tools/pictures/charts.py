"""The charts of docs/explanation/chart.md, from two hours that are written into a real Prometheus."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.support.real.bad_evening import ALL, SPAN, charts_of, written
from tools.pictures.images import keep
from wine_slo.config import translations
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.text.formatting import Formatter


async def draw(folder: Path) -> None:
    """Draw all of them."""
    english = Formatter(ALL, UTC)
    russian = Formatter(ALL, ZoneInfo("Europe/Moscow"), translations.load()["ru"])
    with ChartProcess(time_box=60) as drawing:
        async with charts_of(written(folder), drawing) as charts:
            for name, fmt in (("latency", english), ("latency", russian), ("availability", english)):
                picture = await charts.of(Key(name), fmt, SPAN)
                keep(picture.png, f"chart-{name}-{fmt.language.code}")
