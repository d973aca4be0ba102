"""How the server is called."""

from argparse import ArgumentTypeError

import pytest

from wine_slo.server import worker_count


@pytest.mark.parametrize("text", ["0", "-1", "65", "100000"])
def test_no_number_of_workers_forks_none_or_fills_the_machine(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="wanted: a whole number from 1 to 64"):
        worker_count(text)
    assert worker_count("64") == 64
