"""Why an objective cannot be."""

from collections.abc import Iterable


class ObjectiveError(ValueError):
    """Values that an objective cannot have.

    Attributes:
        field: The name of the first field that is wrong, dotted where it stands inside another.
        mistakes: Every such field, and what is wrong with it.
    """

    def __init__(self, field: str, sentence: str, *more: tuple[str, str]) -> None:
        super().__init__(sentence)
        self.field = field
        self.mistakes = ((field, sentence), *more)


def refuse(mistakes: Iterable[tuple[str, str]]) -> None:
    """Refuse values where anything is wrong with them.

    Args:
        mistakes: Each field that is wrong, and what is wrong with it.

    Raises:
        ObjectiveError: There is one.
    """
    found = list(mistakes)
    if found:
        raise ObjectiveError(*found[0], *found[1:])
