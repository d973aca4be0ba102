"""Which of many objectives are shown, with values; the page and the answer are tried in test_status_page."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scene import ALL
from tests.support.status_examples import BAD, wide
from wine_slo.slo.views.finding.query import PARAMETERS, Query, SelectionError, choose, count_of
from wine_slo.slo.views.status_schema import Judgement


def test_all_at_once_stands_in_the_order_of_slo_yml_and_a_page_has_the_worst_first() -> None:
    every = choose(Query(), BAD, ALL, is_present=True)
    assert [objective.name for _, objective in every.keys] == [each.name for each in ALL.all]
    assert count_of(every.selection) == ""
    state, objectives = wide(50, 5)
    page = choose(Query(per_page=7), state, objectives, is_present=True)
    assert [key.labels[0][1] for key, _ in page.keys][:5] == ["/00004", "/00003", "/00002", "/00001", "/00000"]
    assert page.keys[5][0].labels[0][1] == "/00049", "what is not known comes before what is met"


def test_without_a_present_evaluation_nothing_is_met() -> None:
    state, objectives = wide(50, 5)
    counts = choose(Query(), state, objectives, is_present=False).selection.by_state
    assert (counts[Judgement.MET], counts[Judgement.BREACHED]) == (0, 5)


def test_what_is_left_out_is_said_where_it_is_met_too() -> None:
    state, objectives = wide(50, 0)
    chosen = choose(Query(text="00001"), state, objectives, is_present=True)
    assert count_of(chosen.selection) == "1 of 51 match. Left out: 1 not known."
    assert count_of(choose(Query(text="0"), state, objectives, is_present=True).selection).endswith("is met.")


@given(st.dictionaries(st.sampled_from(PARAMETERS), st.text()))
def test_whatever_an_address_says_is_understood_or_refused(parameters: dict[str, str]) -> None:
    with suppress(SelectionError):
        query = Query.parse(parameters, ALL, per_page=25)
        assert len(choose(query, BAD, ALL, is_present=True).keys) <= (query.per_page or 0)


@pytest.mark.parametrize("page", [1, 3, 10**6])
def test_a_view_is_in_its_address(page: int) -> None:
    query = Query(text="a b&c", state=Judgement.BREACHED, objective="latency", page=page, per_page=25)
    assert "q=a+b%26c&state=breached&objective=latency" in query.address()
