"""A connection to PostgreSQL that waits for no answer longer than it may, whatever stands between.

The kernel detects a server that is gone, and the server ends a statement that is slow. A partition in which something
accepts everything and answers nothing is detected here alone.
"""

from time import monotonic
from typing import Any, TypeVar

from psycopg import Connection, OperationalError

V = TypeVar("V")

ANSWER_SECONDS = 1.0  # for a first answer, and for the last one
CALL_SECONDS = 3.0  # for all answers of one call together; well inside a lease


class PatientConnection(Connection[Any]):
    """A connection that ends itself where an answer is late.

    Attributes:
        until: When the answers of the call at hand are late, by the clock that `monotonic` reads; None between two.
    """

    until: float | None = None

    def extend(self, seconds: float = CALL_SECONDS) -> None:
        """Give the call at hand so many seconds from now on."""
        self.until = monotonic() + seconds

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer.

        Raises:
            OperationalError: It is late, and the connection is closed.
        """
        left = ANSWER_SECONDS if self.until is None else max(0.0, self.until - monotonic())
        left = left if timeout is None else min(left, timeout)
        began = monotonic()
        try:
            return super().wait(gen, interval, left)
        except OperationalError as error:
            if monotonic() - began < left or self.closed:
                raise
            self.pgconn.finish()  # whatever comes now would be the answer to something else
            raise OperationalError(f"no answer within {left:.0f} s") from error
