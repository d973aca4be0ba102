"""The figures of the notebook: each function draws one and shows it below its cell, with a text for who cannot see it.

Colours are those of Okabe and Ito, which the colour-blind can distinguish (https://jfly.uni-koeln.de/color/).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from wine_slo.service.model.features import FEATURES

CLASS_COLOURS = ("#0072b2", "#e69f00", "#009e73")
BLUE, VERMILLION, GREY = "#0072b2", "#d55e00", "#8a9099"
MARGIN = 10  # seconds around an incident
DAY = 86_400  # seconds; pyplot counts dates in days since 1970
plt.rcParams.update({
    "figure.dpi": 80, "font.size": 9, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False,
    "figure.constrained_layout.use": True,
})  # fmt: skip

Points = Sequence[tuple[float, float]]  # seconds since 1970, value


def distributions(wines: Any, labels: Any, cultivars: Sequence[str]) -> None:
    """Draw a histogram of each measurement, cultivar by cultivar.

    Args:
        wines: A data frame with a column for each of `FEATURES`.
        labels: The number of the class of each row.
        cultivars: What the classes are called.
    """
    figure, grid = plt.subplots(3, 5, figsize=(12, 6.2), sharey=False)
    for axes, feature in zip(grid.flat, FEATURES, strict=False):
        column = wines[feature.name]
        bins = np.linspace(column.min(), column.max(), 16)
        for label, (cultivar, colour) in enumerate(zip(cultivars, CLASS_COLOURS, strict=True)):
            of_class = column[labels == label]
            axes.hist(of_class, bins, color=colour, alpha=0.25)
            axes.hist(of_class, bins, color=colour, histtype="step", lw=1.6, label=cultivar)
        axes.set(title=_short(feature.name), xlabel=feature.unit or "ratio", ylabel="wines")
    for axes in grid.flat[len(FEATURES) :]:
        axes.axis("off")
    figure.legend(*grid.flat[0].get_legend_handles_labels(), loc="lower right", fontsize=11, ncols=3)
    _show(figure, "Histograms of the thirteen measurements by class; flavanoids separate the three classes best.")


def balance_and_scale(wines: Any, labels: Any, cultivars: Sequence[str]) -> None:
    """Draw how many wines each class has, and how much each measurement varies, in its own unit."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=(1, 2.2))
    counts = [int((labels == label).sum()) for label in range(len(cultivars))]
    left.bar_label(left.bar(cultivars, counts, color=CLASS_COLOURS))
    left.set(title="Class balance", ylabel="wines")
    spread = wines.std().sort_values()
    units = {feature.name: feature.unit or "ratio" for feature in FEATURES}
    right.barh([f"{_short(name)} [{units[name]}]" for name in spread.index], spread, color=BLUE)
    right.set(xscale="log", title="Scale", xlabel="standard deviation, in the unit of each (logarithmic)")
    _show(figure, f"Wines of each class: {counts}; and the standard deviation of each measurement, from 0.1 to 300.")


def correlations(table: Any) -> None:
    """Draw a square table of Pearson's correlations with its numbers."""
    figure, axes = plt.subplots(figsize=(7.4, 6.2))
    picture = axes.imshow(table, cmap="RdBu_r", vmin=-1, vmax=1)
    names = [_short(name) for name in table.columns]
    axes.set_xticks(range(len(names)), names, rotation=50, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        colour = "white" if abs(value) > 0.6 else "black"
        axes.text(column, row, f"{value:.1f}", ha="center", va="center", size=7, color=colour)
    plt.colorbar(picture, ax=axes, shrink=0.8, label="Pearson's correlation")
    _show(figure, "A square table of correlations; the block of phenols, flavanoids and OD280/OD315 is highest.")


def quality(wrong: Any, confusion: Any, confidences: Any, is_right: Any, cultivars: Sequence[str]) -> None:
    """Draw the spread of the mistakes, the confusion matrix and the calibration, side by side.

    Args:
        wrong: How many wines of each fold were classified wrongly.
        confusion: Wines by true class (rows) and predicted class (columns).
        confidences: The probability of the predicted class, wine by wine.
        is_right: Whether that was the true class.
        cultivars: What the classes are called.
    """
    figure, (spread, matrix, curve) = plt.subplots(1, 3, figsize=(12, 3.6))
    spread.bar_label(spread.bar(*np.unique(wrong, return_counts=True), color=BLUE))
    spread.set(
        title=f"{len(wrong)} folds", xlabel="wrong, of 28 or 29 wines", ylabel="folds", xticks=range(max(wrong) + 1)
    )
    matrix.imshow(confusion, cmap="Blues")
    matrix.set_xticks(range(len(cultivars)), cultivars)
    matrix.set_yticks(range(len(cultivars)), cultivars, rotation=90, va="center")
    for (row, column), value in np.ndenumerate(confusion):
        colour = "white" if value > confusion.max() / 2 else "black"
        matrix.text(column, row, f"{value:.1f}", ha="center", va="center", color=colour)
    matrix.set(title="Wines, mean of the repetitions", xlabel="predicted", ylabel="true")
    edges = np.array([0.0, 0.6, 0.7, 0.8, 0.9, 1.0])
    bins = np.digitize(confidences, edges[1:-1])
    groups = [bins == each for each in range(len(edges) - 1)]
    sure = [confidences[group].mean() for group in groups]
    right = [is_right[group].mean() for group in groups]
    curve.plot([0.4, 1], [0.4, 1], color=GREY, ls="--", label="perfect")
    curve.plot(sure, right, "o-", color=BLUE, label="out of fold")
    for x, y, group in zip(sure, right, groups, strict=True):
        curve.annotate(f"{group.mean():.0%}", (x, y), (4, -12), textcoords="offset points", size=8)
    curve.set(
        title="Calibration", xlim=(0.4, 1.05), xlabel="probability of the predicted class", ylabel="share that is right"
    )
    curve.legend(loc="upper left")
    _show(
        figure, "Wrong wines per fold, mostly none or one; the confusion matrix; the calibration, above the diagonal."
    )


def beyond_training(values: Any, probabilities: Any, seen: tuple[float, float], cultivars: Sequence[str]) -> None:
    """Draw the probabilities of the classes while the alcohol of one wine changes.

    Args:
        values: The alcohol in % vol.
        probabilities: A row for each value, a column for each class.
        seen: The range in training.
        cultivars: What the classes are called.
    """
    figure, axes = plt.subplots(figsize=(8, 3.2))
    axes.axvspan(*seen, color=GREY, alpha=0.25, lw=0, label="seen in training")
    for cultivar, column, colour in zip(cultivars, probabilities.T, CLASS_COLOURS, strict=True):
        axes.plot(values, column, color=colour, lw=2, label=cultivar)
    axes.set(xlabel="alcohol, % vol", ylabel="probability", xlim=(values[0], values[-1]))
    axes.legend(loc="center right")
    _show(
        figure, "The probability of Barolo rises to 1 where the alcohol is beyond the range that was seen in training."
    )


def incident(
    p95: Points, bad: Points, threshold: float, bad_time: tuple[datetime, datetime], moments: Mapping[str, datetime]
) -> None:
    """Draw the quantile with its threshold, and below it the share of slow requests.

    Args:
        p95: In seconds.
        bad: Ratios of 0 to 1.
        threshold: In seconds.
        bad_time: From when to when the watchdog counts it as bad.
        moments: What happened when.
    """
    figure, (above, below) = plt.subplots(2, 1, figsize=(10, 5), sharex=True, height_ratios=(2.4, 1))
    above.step(_times(p95), _values(p95), where="post", color=BLUE, lw=1.6, label="p95")
    above.axhline(threshold, color=VERMILLION, ls="--", label=f"threshold, {threshold:g} s")
    first, last = min(moments.values()).timestamp() - MARGIN, max(moments.values()).timestamp() + MARGIN
    above.set(ylabel="p95 of the latency, s", ylim=(0, 1.3 * max(_values(p95))), xlim=(first / DAY, last / DAY))
    below.step(_times(bad), _values(bad), where="post", color=BLUE, lw=1.6)
    below.axhline(0.05, color=VERMILLION, ls="--")
    below.set(ylabel=f"share over {threshold:g} s", ylim=(0, 0.5))
    below.yaxis.set_major_formatter(PercentFormatter(1))
    for axes in (above, below):
        axes.axvspan(*(at.timestamp() / DAY for at in bad_time), color=VERMILLION, alpha=0.13, lw=0)
        for at in moments.values():
            axes.axvline(at.timestamp() / DAY, color="black", lw=0.8, ls=":")
    for number, (what, at) in enumerate(moments.items()):
        above.annotate(what, (at.timestamp() / DAY, 1), (3, -3 - 11 * (number % 2)), xycoords=("data", "axes fraction"),
                       textcoords="offset points", va="top", size=8)  # fmt: skip
    _show_clock(below)
    above.legend(loc="center left")
    _show(
        figure, "p95 jumps over its threshold while slow requests come; the alert follows, and the recovery after them."
    )


def budget(counted: Points, reported: Points) -> None:
    """Draw what is left of the error budget: counted here, and as the watchdog reports it; ratios of 0 to 1."""
    figure, axes = plt.subplots(figsize=(10, 2.8))
    axes.plot(_times(counted), _values(counted), color=BLUE, lw=1.6, label="from the raw counts")
    axes.step(
        _times(reported), _values(reported), where="post", color=VERMILLION, lw=1.2, label="the watchdog's metric"
    )
    axes.set(ylabel="error budget left", ylim=(min(0, *_values(counted)), 1.05))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    _show_clock(axes)
    axes.legend(loc="lower left")
    _show(figure, "The error budget falls during the breach, as counted here and as the watchdog reports it.")


def _show(figure: Figure, text: str) -> None:
    display(figure, metadata={"image/png": {"alt": text}})
    plt.close(figure)


def _times(points: Points) -> list[float]:
    return [at / DAY for at, _ in points]


def _show_clock(axes: Axes) -> None:
    axes.xaxis.set_major_locator(AutoDateLocator(tz=UTC, maxticks=9))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M:%S", tz=UTC))  # type: ignore[no-untyped-call]
    axes.set_xlabel("time, UTC")


def _values(points: Points) -> list[float]:
    return [value for _, value in points]


def _short(name: str) -> str:
    """Return the name of a measurement as a label has room for it."""
    return name.replace("_of_diluted_wines", "").replace("_", " ")
