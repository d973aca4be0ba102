"""What `slo.yml` says of drills: how the service is broken, and how it is mended."""

import re
import shlex
from typing import Annotated

from msgspec import Meta, Struct

from wine_slo.config.files.slo_types import Count, Name, Text, wanted

MOST_PARALLEL = 100  # requests of a drill at once; more is a load test

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
