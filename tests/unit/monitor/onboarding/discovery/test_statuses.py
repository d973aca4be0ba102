"""How labels say which events were bad, and which were the client's own fault."""

import re

import pytest

from wine_slo.monitor.onboarding.discovery.statuses import STATUS_LABELS, status_of


@pytest.mark.parametrize(
    ("label", "seen", "bad", "neutral", "good"),
    [
        pytest.param("status", ["200", "404"], ["500", "503"], ["400", "404"], ["200", "302"], id="HTTP codes"),
        pytest.param("status", ["2xx"], ["5xx"], ["4xx"], ["2xx", "3xx"], id="classes of HTTP codes"),
        pytest.param("code", ["2xx", "other"], ["5xx"], ["4xx"], ["1xx"], id="classes with another word"),
        pytest.param("response_code", ["200", "0"], ["0", "502"], ["404"], ["200"], id="0 of a proxy is no response"),
        pytest.param("envoy_response_code_class", ["2"], ["5"], ["4"], ["2", "3"], id="classes in one digit"),
        pytest.param("grpc_code", ["OK"], ["Unavailable"], ["NotFound"], ["OK"], id="gRPC codes"),
        pytest.param("code", ["OK", "NOT_FOUND"], ["DATA_LOSS"], ["INVALID_ARGUMENT"], ["OK"], id="in capitals"),
        pytest.param("code", ["ok", "unavailable"], ["internal"], ["not_found"], ["ok"], id="in small letters"),
        pytest.param("grpc_status", ["0"], ["2", "13", "14"], ["5", "16"], ["0"], id="numbers of gRPC codes"),
        pytest.param("outcome", ["SUCCESS"], ["SERVER_ERROR"], [], ["SUCCESS", "REDIRECTION"], id="outcomes of Spring"),
        pytest.param(
            "outcome", ["SUCCESS", "CLIENT_ERROR"], ["SERVER_ERROR"], ["CLIENT_ERROR"], [], id="with clients'"
        ),
        pytest.param("result", ["success", "requeue"], ["error"], [], ["success", "requeue"], id="words"),
        pytest.param("status", ["failed"], ["failed", "timeout", "timed_out"], [], ["done"], id="failures alone"),
        pytest.param("success", ["true"], ["false"], [], ["true"], id="whether it succeeded"),
        pytest.param("error", ["false"], ["True", "true"], [], ["false"], id="whether there was an error"),
        pytest.param("rcode", ["NOERROR"], ["SERVFAIL"], [], ["NOERROR", "NXDOMAIN"], id="DNS"),
    ],
)
def test_a_status_label_says_which_events_were_bad(
    label: str, seen: list[str], bad: list[str], neutral: list[str], good: list[str]
) -> None:
    status = status_of(label, seen)
    assert status is not None
    found = {each: _class(status.bad, status.neutral, each) for each in (*bad, *neutral, *good)}
    assert found == {**dict.fromkeys(bad, "bad"), **dict.fromkeys(neutral, "neutral"), **dict.fromkeys(good, "good")}


@pytest.mark.parametrize(
    ("label", "seen"),
    [
        pytest.param("status", [], id="nothing was seen"),
        pytest.param("status", ["Running", "Pending"], id="states of something"),
        pytest.param("code", ["1234"], id="other numbers"),
        pytest.param("result", ["blue"], id="other words"),
        pytest.param("status", ["true", "false"], id="a condition"),
    ],
)
def test_a_label_that_says_nothing_of_how_events_ended_is_no_status(label: str, seen: list[str]) -> None:
    assert status_of(label, seen) is None


def test_codes_of_http_go_before_words() -> None:
    assert STATUS_LABELS.index("status") < STATUS_LABELS.index("outcome")


def _class(bad: str, neutral: str, value: str) -> str:
    if re.fullmatch(bad, value):
        return "bad"
    return "neutral" if neutral and re.fullmatch(neutral, value) else "good"
