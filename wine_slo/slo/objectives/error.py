"""Why an objective cannot be."""


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
