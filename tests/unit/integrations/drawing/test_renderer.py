"""What is drawn is the chart: the lines of the picture, not its pixels; and the process that draws it."""

import asyncio
import math
import os
import struct
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

from wine_slo.integrations.drawing.render_process import PNG, WAITING, ChartProcess, DrawingError
from wine_slo.integrations.drawing.renderer import (
    BLUE,
    GROUND,
    HEIGHT,
    INK,
    PURPLE,
    VERMILLION,
    WIDTH,
    draw,
    gaps,
    with_gaps,
)
from wine_slo.slo.views.chart_spec import Breach, Chart, Mark

STEP = 10.0
VALUES = tuple((at * STEP, 2.4 if 60 <= at < 80 else 0.05) for at in range(101))
RATES = tuple((at * STEP, 10.0) for at in range(101))
LATENCY = Chart(
    title="Latency: p95",
    subtitle="1 January, 19:40 to 19:57 (UTC)",
    first=0.0,
    last=1000.0,
    step=STEP,
    values=VALUES,
    target=1.0,
    target_label="target ≤ 1 s",
    unit="s",
    rates=RATES,
    rate_label="Requests per second",
    gap_label="no data",
    ticks=((0.0, "19:40"), (500.0, "19:48"), (1000.0, "19:57")),
    breaches=(Breach(600.0, 800.0, "#12"),),
)
UP = replace(LATENCY, values=tuple((at, value < 1) for at, value in VALUES), is_band=True, rates=(), rate_label="")


def axes(figure: Figure, name: str = "values") -> Axes:
    return next(each for each in figure.axes if each.get_gid() == name)


def line(figure: Figure, name: str, on: str = "values") -> list[tuple[float, float]]:
    """The points of a line as they are drawn."""
    (found,) = [each for each in axes(figure, on).get_lines() if each.get_gid() == name]
    return [(float(x), float(y)) for x, y in np.asarray(found.get_xydata())]


def texts(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    return [each.get_text() for each in figure.findobj(Text) if each.get_text() and each.get_visible()]


def without(chart: Chart, since: float, until: float) -> Chart:
    return replace(
        chart,
        values=tuple(each for each in chart.values if not since <= each[0] < until),
        rates=tuple(each for each in chart.rates if not since <= each[0] < until),
    )


# What is drawn


def test_the_lines_are_the_points_of_the_chart() -> None:
    figure = draw(LATENCY)
    assert tuple(line(figure, "values")) == VALUES
    assert tuple(line(figure, "rates", on="rates")) == RATES


@pytest.mark.parametrize(
    "title",
    ["Latency: p95", "Errors of /api/v1/checkout/payments: share of failed requests", "Errors of " + "Wide" * 100],
    ids=["short", "long", "very long"],
)
def test_a_title_ends_within_the_picture(title: str) -> None:
    figure = draw(replace(LATENCY, title=title))
    shown = figure.texts[0]
    assert shown.get_window_extent().x1 <= WIDTH
    assert title.startswith(shown.get_text().rstrip("…"))
    assert len(shown.get_text()) >= min(len(title), 60)


def test_the_target_is_a_line_through_all_of_it() -> None:
    assert {y for _, y in line(draw(LATENCY), "target")} == {1.0}
    assert [x for x, _ in line(draw(LATENCY), "target")] == [0, 1]  # of the width


def test_a_breach_is_shaded_in_both_halves_and_named() -> None:
    figure = draw(LATENCY)
    for each in figure.axes:
        (shade,) = [patch for patch in each.patches if patch.get_gid() == "breach"]
        box = shade.get_extents().transformed(each.transData.inverted())
        assert (round(box.x0), round(box.x1)) == (600, 800)
    assert "#12" in texts(figure)


def test_a_deployment_is_a_line_through_both_halves_with_its_version_and_a_legend() -> None:
    chart = replace(LATENCY, marks=(Mark(30.0, "1.4.1"), Mark(550.0, "1.4.2")), mark_label="deployment")
    figure = draw(chart)
    for each in figure.axes:
        marks = [found for found in each.get_lines() if found.get_gid() == "mark"]
        assert [float(np.asarray(found.get_xdata())[0]) for found in marks] == [30, 550]
    words = texts(figure)
    for label in ("1.4.1", "1.4.2", "deployment"):
        assert label in words
    assert "deployment" not in texts(draw(replace(chart, marks=())))


def test_a_version_stands_beside_its_line_within_the_plot_and_over_nothing_else() -> None:
    marks = tuple(Mark(at, "2026.11.30-rc1") for at in (5.0, 12.0, 590.0, 990.0))
    figure = draw(replace(LATENCY, marks=marks, mark_label="deployment"))
    figure.draw_without_rendering()
    plot = axes(figure).get_window_extent()
    boxes = [each.get_window_extent() for each in axes(figure).texts if each.get_text() in ("2026.11.30-rc1", "#12")]
    assert len(boxes) == 4, "there is no room between the first two lines"
    assert all(plot.x0 <= each.x0 and each.x1 <= plot.x1 for each in boxes)
    ordered = sorted(boxes, key=lambda each: each.x0)
    assert all(left.x1 <= right.x0 for left, right in pairwise(ordered))


def test_all_of_it_can_be_seen() -> None:
    figure = draw(LATENCY)
    for each in figure.axes:
        assert each.get_xlim() == (0, 1000)
        assert each.get_ylim()[0] == 0
    assert axes(figure).get_ylim()[1] > 2.4
    assert axes(figure, "rates").get_ylim()[1] > 10
    assert axes(draw(replace(LATENCY, values=((0.0, 0.02),)))).get_ylim()[1] > 1, (
        "the target is seen beside good values"
    )


def test_its_labels_are_those_of_the_chart() -> None:
    words = texts(draw(LATENCY))
    for each in ("Latency: p95", LATENCY.subtitle, "target ≤ 1 s", "Requests per second", "19:40", "19:48", "19:57"):
        assert each in words
    assert "2\N{NARROW NO-BREAK SPACE}s" in words


def test_numbers_read_as_the_language_writes_them() -> None:
    words = texts(draw(replace(LATENCY, values=((0.0, 0.05),), unit="с", decimal=",")))
    assert "0,5\N{NARROW NO-BREAK SPACE}с" in words


def test_shares_read_in_percent() -> None:
    words = texts(draw(replace(LATENCY, values=((0.0, 0.4),), target=0.01, unit="%", scale=100.0)))
    assert "40\N{NARROW NO-BREAK SPACE}%" in words


# Gaps


def test_a_line_breaks_off_where_nothing_is_known() -> None:
    figure = draw(without(LATENCY, 200, 400))
    for name in ("values", "rates"):
        points = line(figure, name, on=name)
        assert any(math.isnan(y) for x, y in points if 190 < x < 400)
        for (x, y), (next_x, next_y) in pairwise(points):
            assert next_x - x <= STEP or math.isnan(y) or math.isnan(next_y), "a line over the gap"


def test_a_wide_gap_says_so_and_a_narrow_one_does_not() -> None:
    assert "no data" in texts(draw(without(LATENCY, 200, 400)))
    assert "no data" not in texts(draw(without(LATENCY, 200, 230)))
    assert "no data" not in texts(draw(LATENCY))


def test_gaps_at_both_ends_count_too() -> None:
    assert list(gaps(without(without(LATENCY, 0, 300), 700, 2000))) == [(0, 300), (690, 1000)]


def test_a_point_with_a_gap_on_either_side_is_a_dot() -> None:
    figure = draw(replace(LATENCY, values=((100.0, 0.1), (500.0, 0.3), (510.0, 0.4), (900.0, 0.2))))
    assert line(figure, "alone") == [(100, 0.1), (900, 0.2)]


def test_scrapes_that_jitter_are_no_gap() -> None:
    assert not any(math.isnan(value) for _, value in with_gaps(((0, 1.0), (10.4, 1.0), (19.6, 1.0)), STEP))


def test_a_chart_of_nothing_is_an_empty_one_that_says_so() -> None:
    assert "no data" in texts(draw(replace(LATENCY, values=(), rates=(), breaches=())))


# Availability


def test_availability_is_a_band_that_steps() -> None:
    figure = draw(UP)
    (edge,) = [each for each in axes(figure).get_lines() if each.get_gid() == "values"]
    assert edge.get_drawstyle() == "steps-post"
    points = line(figure, "values")
    assert (points[0], points[-1]) == ((-STEP, 1), (1000, 1))
    assert [x for x, y in points if y == 0] == [x - STEP for x, y in UP.values if y == 0], "known at its end"
    assert len(figure.axes) == 1


# Appearance


def test_it_is_as_large_as_a_phone_is_wide_and_its_ground_is_opaque() -> None:
    figure = draw(LATENCY)
    assert (figure.get_size_inches() * figure.dpi).tolist() == [WIDTH, HEIGHT]
    assert to_rgba(figure.get_facecolor())[3] == 1.0


@pytest.mark.parametrize(("colour", "least"), [(INK, 7.0), (BLUE, 4.5), (VERMILLION, 3.4), (PURPLE, 4.5)])
def test_its_colours_stand_out_from_its_ground(colour: str, least: float) -> None:
    assert (_luminance(GROUND) + 0.05) / (_luminance(colour) + 0.05) > least


def _luminance(colour: str) -> float:
    """As WCAG defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    "name",
    ["$x^$_{", "\\frac{", "Задержка", "a" * 300, "100 % & <b>", "line\nbreak", "\N{GRINNING FACE} \u202e"],
)
def test_any_name_can_be_drawn(name: str) -> None:
    chart = replace(LATENCY, title=name, subtitle=name, target_label=name, breaches=(Breach(1, 2, name),))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # a box stands for a letter it lacks
        texts(draw(chart))


# The process


@pytest.fixture
def drawing() -> Iterator[ChartProcess]:
    with ChartProcess(
        time_box=60.0
    ) as drawing:  # the chart matters here; a busy machine may need longer than people wait
        yield drawing


def program(folder: Path, text: str) -> list[str]:
    (folder / "draw.py").write_text(text)
    return [sys.executable, str(folder / "draw.py")]


async def test_a_chart_comes_back_as_a_png_of_that_size(drawing: ChartProcess) -> None:
    png = await drawing.draw(LATENCY)
    assert png.startswith(PNG)
    assert struct.unpack(">II", png[16:24]) == (WIDTH, HEIGHT)


async def test_drawing_leaves_nothing_behind(
    drawing: ChartProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    await drawing.draw(LATENCY)
    assert not os.listdir(tmp_path)  # noqa: PTH208 - nothing waits for it


async def test_drawing_that_hangs_is_killed(tmp_path: Path) -> None:
    script = f"""
import os, time
open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
time.sleep(60)
"""
    with (
        ChartProcess(program(tmp_path, script), time_box=1.0) as drawing,
        pytest.raises(DrawingError, match="took longer than 1 s"),
    ):
        await drawing.draw(LATENCY)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_drawing_that_crashes_says_why(tmp_path: Path) -> None:
    with (
        ChartProcess(program(tmp_path, "raise RuntimeError('no ink')")) as drawing,
        pytest.raises(DrawingError, match=r"crashed \(RuntimeError: no ink\)"),
    ):
        await drawing.draw(LATENCY)


async def test_drawing_that_is_killed_says_so(tmp_path: Path) -> None:
    with (
        ChartProcess(program(tmp_path, "import os; os.kill(os.getpid(), 9)")) as drawing,
        pytest.raises(DrawingError, match="status -9"),
    ):
        await drawing.draw(LATENCY)


async def test_something_that_is_no_picture_is_not_sent(tmp_path: Path) -> None:
    with ChartProcess(program(tmp_path, "print('hello')")) as drawing, pytest.raises(DrawingError):
        await drawing.draw(LATENCY)


async def test_drawing_that_cannot_be_started_says_so() -> None:
    with ChartProcess(["/nowhere/python"]) as drawing, pytest.raises(DrawingError, match="No such file"):
        await drawing.draw(LATENCY)


async def test_one_is_drawn_at_a_time_and_a_crowd_is_sent_away(tmp_path: Path) -> None:
    script = f"""
import sys, time
with open({str(tmp_path / "log")!r}, "a") as log:
    log.write("in "); log.flush()
    time.sleep(0.05)
    log.write("out ")
sys.stdout.buffer.write({PNG!r})
"""
    with ChartProcess(program(tmp_path, script)) as drawing:
        answers = await asyncio.gather(*(drawing.draw(LATENCY) for _ in range(WAITING + 2)), return_exceptions=True)
    assert sum(answer == PNG for answer in answers) == WAITING
    assert sum(isinstance(answer, DrawingError) for answer in answers) == 2
    assert (tmp_path / "log").read_text().split() == ["in", "out"] * WAITING
