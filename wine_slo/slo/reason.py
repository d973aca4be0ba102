"""Why something cannot be, as a sentence that can be said in any language and kept until then."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wine_slo.slo.redaction import redact

LONGEST_TEXT = 300  # characters of what others say of a failure of theirs
LONGEST_READ = 30_000  # characters of it that are searched for secrets, which takes time


def phrase(sentence: str) -> str:
    """Return a sentence that is said elsewhere; marks it for the catalogue."""
    return sentence


def plural(one: str, more: str) -> tuple[str, str]:
    """Return a sentence that counts, of one and of more; marks it for the catalogue."""
    return one, more


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something cannot be, as a sentence that can be said in any language and kept until then.

    Attributes:
        sentence: In English, with named holes.
        holes: What stands in them; text of others as it is, without markup.
    """

    sentence: str
    holes: "Mapping[str, str | int | Reason]" = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it in English, for the log."""
        return self.sentence.format_map({name: str(each) for name, each in self.holes.items()})


class ReasonedError(Exception):
    """Something failed, and people read why.

    Attributes:
        reason: Why, in any language; the text of the exception is its English.
    """

    def __init__(self, sentence: str | Reason, /, **holes: str | int | Reason) -> None:
        shown = {
            name: redact(each[:LONGEST_READ])[:LONGEST_TEXT] if isinstance(each, str) else each
            for name, each in holes.items()
        }
        self.reason = sentence if isinstance(sentence, Reason) else Reason(sentence, shown)
        super().__init__(str(self.reason))
