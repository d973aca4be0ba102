"""A connection to PostgreSQL that waits for no answer longer than it may, whatever stands between.

The kernel detects a server that is gone, and the server ends a statement that is slow. A partition in which something
accepts everything and answers nothing is detected here alone.
"""

from time import monotonic
from typing import Any

from psycopg import Connection, OperationalError

IDLE_PATIENCE = 1.0  # seconds for the answer to a ping, before a connection is used again
PATIENCE = 2.5  # seconds for each other answer: a bit more than the server itself takes at most
LONG_PATIENCE = 65.0  # seconds, for a command that reads everything


class PatientConnection(Connection[Any]):
    """A connection that is closed where an answer is late, and fails.

    Attributes:
        patience: Seconds for an answer.
    """

    patience = PATIENCE

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer.

        Raises:
            OperationalError: It is late, or the server says that something is wrong.
        """
        patience = self.patience if timeout is None else min(timeout, self.patience)
        began = monotonic()
        try:
            return super().wait(gen, interval, patience)
        except OperationalError as error:
            if self.closed or monotonic() - began < patience:
                raise
            self.pgconn.finish()  # whatever came now would be the answer to something else
            raise OperationalError(f"no answer within {patience:g} s") from error
