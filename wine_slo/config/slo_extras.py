"""What can stand in `slo.yml` beside objectives: a drill and deployments; and the types that all of it is made of."""

import re
import shlex
from collections.abc import Collection, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from wine_slo.slo.objectives import error
from wine_slo.slo.objectives.selector import LABEL, wrong_with_selector
from wine_slo.slo.source.deployment import VersionSeries


def wanted(sentence: str, **limits: Any) -> Meta:
    """Return what is said of a value that is none of a type, and the limits of the type."""
    return Meta(extra={"wanted": sentence}, **limits)


MOST_PARALLEL = 100  # requests of a drill at once; more is a load test

Name = Annotated[
    str,
    wanted(
        "must be up to 100 small letters, digits, - and _, a letter first",
        pattern=r"^[a-z][a-z0-9_-]{0,99}$(?!\n)",  # Python's $ stands before a last line break, too
    ),
]
Text = Annotated[str, wanted("must be text")]
Count = Annotated[int, wanted("must be a whole number")]
Command = Annotated[
    list[str] | str, wanted("must be a list of words, or a text that is split into words as a shell does")
]


class DrillEntry(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a drill breaks the service: by requests to a URL, or by a command, and another one that mends it.

    No shell runs the commands, so nothing in them is expanded.
    """

    objective: Annotated[Name | None, Meta(description="The objective that it breaks; the first one if left out")] = (
        None
    )
    url: Annotated[Text | None, Meta(description="Requested by GET until every chat is notified")] = None
    parallel: Annotated[Count, Meta(description="So many requests to it at once, 1 to 100")] = 5
    start: Annotated[Command | None, Meta(description="Breaks the service; one that goes on is ended")] = None
    stop: Annotated[Command | None, Meta(description="Mends it; it runs however the drill ends")] = None

    def mistake(self) -> str | None:
        """Return what is wrong with it; None where nothing is."""
        if (self.url is None) == (self.start is None):
            return "must have either a url, or a start and a stop"
        if (self.start is None) != (self.stop is None):
            return "must have both a start and a stop"
        if self.url is not None and not re.fullmatch(r"https?://[^/\s]+\S*", self.url):
            return f"has the url {self.url}, which is none; write http://HOST/PATH"
        if not 1 <= self.parallel <= MOST_PARALLEL:
            return f"has {self.parallel} parallel requests; 1 to {MOST_PARALLEL} can be made"
        try:
            if self.start is not None and not (self.start_words and self.stop_words):
                return "has a command without a word"
        except ValueError as error:
            return f"has a command that cannot be split into words: {error}"
        return None

    @property
    def start_words(self) -> list[str]:
        """Return the words of the command that breaks the service."""
        return _words(self.start)

    @property
    def stop_words(self) -> list[str]:
        """Return the words of the command that mends it."""
        return _words(self.stop)


def _words(command: list[str] | str | None) -> list[str]:
    """Return the words of a command.

    Raises:
        ValueError: A quotation does not end.
    """
    return shlex.split(command) if isinstance(command, str) else command or []


class DeploymentEntry(Struct, forbid_unknown_fields=True):
    """Gauges of which one label is the version that runs."""

    selector: Annotated[
        Text, Meta(description="Selects them, such as build_info; those of the job unless it names one")
    ]
    label: Annotated[Text, Meta(description="The label that is the version")]

    def mistakes(self) -> list[tuple[str, str]]:
        """Return what is wrong with each field."""
        is_label = re.fullmatch(LABEL, self.label)
        wrong = (
            ("selector", wrong_with_selector(self.selector)),
            ("label", None if is_label else f"is {self.label!r}; it must be the name of a label"),
        )
        return [(field, sentence) for field, sentence in wrong if sentence is not None]


def refuse(*found: tuple[str, str | None]) -> None:
    """Refuse fields with what is wrong with each.

    Raises:
        ObjectiveError: There is such a field.
    """
    error.refuse((field, sentence) for field, sentence in found if sentence is not None)


def wrong_with_drill(drill: DrillEntry | None, objectives: Collection[str] | None) -> list[str]:
    """Return what is wrong with a drill, among objectives of these names; None where not all are known."""
    if drill is None:
        return []
    name = drill.objective
    is_known = name is None or objectives is None or name in objectives
    unknown = None if is_known else f"names {name}, which is none of the objectives"
    return [each for each in (drill.mistake(), unknown) if each is not None]


def wrong_with_deployments(entries: Sequence[DeploymentEntry] | None) -> list[tuple[int, str, str]]:
    """Return the number of each entry that is wrong, its field, and what is wrong with that."""
    return [(number, *each) for number, entry in enumerate(entries or ()) for each in entry.mistakes()]


def series_of(entries: Sequence[DeploymentEntry] | None) -> tuple[VersionSeries, ...] | None:
    """Return where deployments show; None where nothing is said of it."""
    return None if entries is None else tuple(VersionSeries(each.selector, each.label) for each in entries)
