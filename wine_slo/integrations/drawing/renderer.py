"""Draws one chart: `python -m wine_slo.integrations.drawing.renderer FOLDER` reads it as JSON and writes it as PNG.

The only door to matplotlib, and a process of its own, so that the tens of megabytes that drawing takes go away with it,
and so that a drawing that hangs or crashes is nobody else's trouble.

It is made for a phone: 1000 x 700, large letters, on an opaque ground that is safe in a light chat and in a
dark one, in colours that the colour-blind can distinguish (Okabe and Ito, https://jfly.uni-koeln.de/color/).
"""

import math
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from tempfile import gettempdir
from typing import TYPE_CHECKING

import msgspec

from wine_slo.slo.views.chart_spec import Breach, Chart, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

WIDTH, HEIGHT, DPI = 1000, 700, 100  # pixels; a phone shows it at a third of that
GROUND, INK, FAINT = "#f7f7f5", "#1f2328", "#8a9099"
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#8f4a7a"
LETTERS, LARGE = 19, 25  # points; on a phone a third of that
SMALLEST = 14  # points; a title that is still too long is cut off
LEFT, RIGHT, TOP, BOTTOM = 0.105, 0.955, 0.83, 0.085
HEADROOM = 1.18  # over the highest value
OVER_TARGET = 1.35  # so that the target is well inside where everything is far below it
WIDE = 0.12  # of the width; a gap of so much says what it is
GAP_STEPS = 1.5  # steps between two points; more is a gap
MARK_LETTER = 0.0145  # of the width; a letter of a version
LABEL_STEP = 0.06  # of the width; a shaded time that is narrower has no room for a label


def main() -> None:
    """Draw what standard input holds onto standard output."""
    os.environ["MPLCONFIGDIR"] = sys.argv[1] if len(sys.argv) > 1 else gettempdir()  # noqa: TID251 - else it writes in the home
    os.environ["MPL_IGNORE_SYSTEM_FONTS"] = "1"  # noqa: TID251 - to read all fonts there are can take a minute
    chart = msgspec.json.decode(sys.stdin.buffer.read(), type=Chart)
    picture = BytesIO()
    draw(chart).savefig(picture, format="png", dpi=DPI)
    sys.stdout.buffer.write(picture.getvalue())


def draw(chart: Chart) -> "Figure":
    """Draw a chart: the values and their target above, the requests below, breaches shaded through both."""
    from matplotlib import rc_context  # noqa: PLC0415 - after `main` has said where it may write

    with rc_context({"text.parse_math": False}):  # a dollar in a name is a dollar
        return _draw(chart)


def _fit(title: "Text") -> None:
    """Make a title smaller, and at last shorter, until it ends where the plot does."""
    room = RIGHT * WIDTH - title.get_window_extent().x0
    if (width := title.get_window_extent().width) > room:
        title.set_fontsize(max(SMALLEST, int(LARGE * room / width)))
    if (width := title.get_window_extent().width) > room:
        words = title.get_text()
        title.set_text(f"{words[: int(len(words) * room / width) - 2].rstrip()}…")


def _draw(chart: Chart) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=GROUND)
    _fit(figure.text(0.025, 0.965, chart.title, size=LARGE, weight="bold", color=INK, va="top"))
    figure.text(0.025, 0.895, chart.subtitle, size=LETTERS - 3, color=INK, va="top")
    heights = [3, 1] if chart.rate_label else [1]
    grid = figure.add_gridspec(
        len(heights), 1, height_ratios=heights, hspace=0.32, left=LEFT, right=RIGHT, top=TOP, bottom=BOTTOM
    )
    above = figure.add_subplot(grid[0], gid="values")
    _frame(above, chart)
    if chart.is_band:
        _draw_band(above, chart)
    else:
        _draw_values(above, chart)
    _label_gaps(above, chart)
    if chart.rate_label:
        below = figure.add_subplot(grid[1], sharex=above, gid="rates")
        _frame(below, chart)
        _draw_rates(below, chart)
        above.tick_params(labelbottom=False)
    for number, breach in enumerate(chart.breaches):
        for axes in figure.axes:
            axes.axvspan(breach.since, breach.until, color=VERMILLION, alpha=0.16, lw=0, zorder=0, gid="breach")
        if number == 0 or breach.since - chart.breaches[number - 1].since > LABEL_STEP * (chart.last - chart.first):
            _label_breach(above, chart, breach)
    if chart.marks:
        _draw_marks(figure, chart)
        _label_marks(above, chart)
    return figure


def with_gaps(points: Points, step: float) -> Points:
    """Return the points with a NaN in each gap, where a line is to break off."""
    broken: list[tuple[float, float]] = []
    for at, value in points:
        if broken and at - broken[-1][0] > GAP_STEPS * step:
            broken.append((broken[-1][0] + step, math.nan))
        broken.append((at, value))
    return tuple(broken)


def gaps(chart: Chart) -> Iterator[tuple[float, float]]:
    """Yield from when to when there are no values, both ends of the chart among them."""
    known = [chart.first, *(at for at, _ in chart.values), chart.last]
    for earlier, later in pairwise(known):
        if later - earlier > 2 * GAP_STEPS * chart.step:
            yield earlier, later


def _frame(axes: "Axes", chart: Chart) -> None:
    """Draw limits, ticks and everything of the axes that is not data."""
    axes.set_facecolor(GROUND)
    axes.set_xlim(chart.first, chart.last)
    axes.set_xticks([at for at, _ in chart.ticks], [label for _, label in chart.ticks])
    axes.tick_params(labelsize=LETTERS, colors=INK, length=0, pad=7)
    axes.tick_params(axis="x", pad=11)  # below the 0 of the other axis
    axes.grid(color=FAINT, alpha=0.35, lw=1)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)


def _draw_values(axes: "Axes", chart: Chart) -> None:
    broken = with_gaps(chart.values, chart.step)
    axes.plot([at for at, _ in broken], [value for _, value in broken], color=BLUE, lw=3.2, zorder=4, gid="values")
    alone = _alone(broken)
    axes.plot([at for at, _ in alone], [value for _, value in alone], ".", color=BLUE, ms=9, zorder=4, gid="alone")
    axes.axhline(chart.target, color=VERMILLION, lw=2.6, ls=(0, (5, 3)), zorder=3, gid="target")
    highest = max((value for _, value in chart.values), default=0.0)
    axes.set_ylim(0, max(HEADROOM * highest, OVER_TARGET * chart.target))
    axes.annotate(
        chart.target_label,
        (0, chart.target),
        xycoords=("axes fraction", "data"),
        xytext=(6, 7),
        textcoords="offset points",
        size=LETTERS - 1,
        color=VERMILLION,
        weight="bold",
        bbox={"facecolor": GROUND, "alpha": 0.7, "lw": 0, "pad": 0},
        zorder=5,
    )
    _count_in(axes, chart, 4)


def _draw_band(axes: "Axes", chart: Chart) -> None:
    broken = with_gaps(chart.values, chart.step)
    edges, shares = [at - chart.step for at, _ in broken], [value for _, value in broken]  # what is known at its end
    edges, shares = [*edges, *(at for at, _ in broken[-1:])], [*shares, *shares[-1:]]
    axes.fill_between(edges, shares, step="post", color=BLUE, alpha=0.75, lw=0, zorder=2)
    axes.fill_between(edges, shares, 1.0, step="post", color=VERMILLION, alpha=0.85, lw=0, zorder=2)
    axes.plot(edges, shares, color=BLUE, lw=2, drawstyle="steps-post", solid_capstyle="butt", zorder=4, gid="values")
    axes.set_ylim(0, 1.12)
    axes.set_yticks([0.0, 0.5, 1.0])
    _count_in(axes, chart)


def _draw_rates(axes: "Axes", chart: Chart) -> None:
    broken = with_gaps(chart.rates, chart.step)
    instants, rates = [at for at, _ in broken], [value for _, value in broken]
    axes.fill_between(instants, rates, color=INK, alpha=0.22, lw=0, zorder=2)
    axes.plot(instants, rates, color=INK, alpha=0.75, lw=2, zorder=3, gid="rates")
    axes.set_ylim(0, HEADROOM * max((rate for _, rate in chart.rates), default=0.0) or 1.0)
    axes.set_title(chart.rate_label, size=LETTERS - 2, color=INK, loc="left", pad=5)
    axes.locator_params(axis="y", nbins=2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace(".", chart.decimal))


def _alone(broken: Points) -> Points:
    """Return the points that no line reaches, as there is a gap on either side."""
    values = [math.nan, *(value for _, value in broken), math.nan]
    return tuple(
        point
        for point, before, after in zip(broken, values, values[2:], strict=False)
        if math.isnan(before) and math.isnan(after) and not math.isnan(point[1])
    )


def _count_in(axes: "Axes", chart: Chart, bins: int | None = None) -> None:
    """Say numbers in the chart's unit."""
    if bins:
        axes.locator_params(axis="y", nbins=bins)

    def said(value: float, _position: float) -> str:
        return f"{value * chart.scale:.6g}".replace(".", chart.decimal) + f"\N{NARROW NO-BREAK SPACE}{chart.unit}"

    axes.yaxis.set_major_formatter(said)


def _label_gaps(axes: "Axes", chart: Chart) -> None:
    top = axes.get_ylim()[1]
    beside_the_target = chart.target / 2 if chart.target > top / 2 else (chart.target + top) / 2
    for since, until in gaps(chart):
        if until - since > WIDE * (chart.last - chart.first):
            axes.text(
                (since + until) / 2,
                beside_the_target,
                chart.gap_label,
                size=LETTERS - 2,
                color=FAINT,
                ha="center",
                va="center",
                gid="gap",
            )


def _label_breach(axes: "Axes", chart: Chart, breach: Breach) -> None:
    is_late = chart.last - breach.since < LABEL_STEP * (chart.last - chart.first)
    axes.text(
        chart.last if is_late else breach.since,
        0.985,
        breach.label,
        transform=axes.get_xaxis_transform(),
        size=LETTERS - 2,
        color=VERMILLION,
        weight="bold",
        ha="right" if is_late else "left",
        va="top",
        zorder=5,
    )


def _label_marks(axes: "Axes", chart: Chart) -> None:
    """Put each version on the left of its line, as the breach after it is on the right; the first one where room is.

    A version that has no room is left out.
    """
    width, taken = chart.last - chart.first, chart.first
    for mark in chart.marks:
        needed = MARK_LETTER * len(mark.label) * width
        is_on_left = mark.at - taken >= needed
        if not is_on_left and taken > chart.first:
            continue
        taken = mark.at if is_on_left else mark.at + needed
        axes.annotate(
            mark.label,
            (mark.at, 0.985),
            xycoords=("data", "axes fraction"),
            xytext=(-5 if is_on_left else 5, 0),
            textcoords="offset points",
            size=LETTERS - 4,
            color=PURPLE,
            ha="right" if is_on_left else "left",
            va="top",
            bbox={"facecolor": GROUND, "alpha": 0.7, "lw": 0, "pad": 0},
            zorder=5,
            gid="version",
        )


def _draw_marks(figure: "Figure", chart: Chart) -> None:
    """Draw the lines of deployments, and say at the right of the subtitle what they mean."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - as above

    for mark in chart.marks:
        for axes in figure.axes:
            axes.axvline(mark.at, color=PURPLE, lw=1.8, zorder=3, gid="mark")
    text = figure.text(RIGHT, 0.895, chart.mark_label, size=LETTERS - 4, color=PURPLE, ha="right", va="top")
    left = (text.get_window_extent().x0 - 9) / WIDTH
    figure.add_artist(Line2D([left, left], [0.862, 0.897], color=PURPLE, lw=1.8))


if __name__ == "__main__":
    main()
