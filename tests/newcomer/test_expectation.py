"""What may differ between what a document says and what is printed, and what may not."""

import pytest

from tests.newcomer.expectation import farthest, find


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        (
            "  24.7 s  breach confirmed (#1); expected within 42 s",
            " 9 s  breach confirmed (#12); expected within 42.5 s",
        ),
        ("Since 19:55:39 (33 s).", "Since 07:01:02 (1 min 5 s)."),
        ("p95 2–2.5 s (target ≤ 1 s)", "p95 2.2 s (target ≤ 1 s)"),
        ("sha256 91bc0a7 … is loaded", "sha256 3f2a77e61 of models/model.pkl is loaded"),
        ("2026-11-30T19:55:39+00:00", "2027-01-02T03:04:05+00:00"),
        ("a   b", "   a b "),
        ("http://127.0.0.1:8000/ui", "http://127.0.0.1:8000/ui"),
        ("98 % (from 3 days)", "100 % (from 12 days)"),
    ],
)
def test_times_numbers_ids_and_blanks_may_differ(expected: str, printed: str) -> None:
    assert find([expected], [printed]) == (0, 1)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("breach confirmed", "breach detected"),
        ("breach confirmed", "breach confirmed."),
        ("p95 2 s", "p99 2 s"),
        ("http://127.0.0.1:8000/ui", "http://127.0.0.1:8001/ui"),
        ("4.0 s seen", "seen"),
        ("Drill passed.", "Drill failed."),
    ],
)
def test_words_signs_and_addresses_may_not_differ(expected: str, printed: str) -> None:
    assert find([expected], [printed]) is None


def test_lines_stand_one_after_the_other_wherever_they_begin() -> None:
    printed = ["start", "one 1", "", "two", "three"]
    assert find(["one 2", "two"], printed) == (1, 4)
    assert find(["one 2", "three"], printed) is None
    assert find(["one 2", "…", "three"], printed) == (1, 5)
    assert find(["…"], printed) == (0, 5)
    assert find(["…", "two", "…"], printed) == (0, 5)
    assert find(["two", "…", "one 1"], printed) is None
    assert find(["two", "one 1"], printed) is None


def test_in_a_log_of_several_other_lines_may_stand_between() -> None:
    printed = ["start", "one 1", "GET /metrics", "two", "three"]
    assert find(["one 1", "two"], printed) is None
    assert find(["one 1", "two"], printed, with_others=True) == (1, 4)
    assert find(["two", "one 1"], printed, with_others=True) is None


def test_the_line_that_is_missing_is_found() -> None:
    assert farthest(["one", "…", "two"], ["one", "three"]) == "two"
    assert "order" in farthest(["one", "two"], ["two", "one"])
