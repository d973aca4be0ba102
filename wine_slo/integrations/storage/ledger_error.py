"""Why the ledger cannot be used."""


class LedgerError(Exception):
    """The ledger cannot be read or written; the text says why, for people.

    Attributes:
        reason: The database's own words, where it is the database that refused.
    """

    def __init__(self, sentence: str, reason: str = "") -> None:
        super().__init__(sentence)
        self.reason = reason
