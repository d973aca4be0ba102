"""How replicas read in a chat, on the page and in a terminal: a line for what is not as it should be, else none."""

from datetime import UTC, timedelta

from tests.support.scene import ALL, START
from wine_slo.config import translations
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.reason import Reason
from wine_slo.slo.replicas.replica_state import ReplicaState
from wine_slo.slo.replicas.replica_status import ReplicaStatus
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.status_list import replica_lines
from wine_slo.slo.views import status_text

AWAY = Reason("it cannot be reached ({cause})", {"cause": "connection refused"})
NOW = START + timedelta(minutes=4)
LEFT = ReplicaState("a:9090", is_used=False, reason=AWAY, since=START)
WORSE = ReplicaState("b:9090", is_used=True, worse=(Key("latency"),))
FINE = ReplicaState("c:9090", is_used=True)


def lines(language: str) -> list[str]:
    languages = translations.load()
    return replica_lines(Formatter(ALL, UTC, languages[language]), (LEFT, WORSE, FINE), NOW)


def test_a_chat_reads_which_replica_is_left_out_and_which_one_shows_something_alone() -> None:
    assert lines("en") == [
        "🟠 Prometheus a:9090 is left out (4 min): it cannot be reached (connection refused).",
        "🟠 By Prometheus b:9090 alone it is worse: latency.",
    ]
    assert lines("ru")[1] == "🟠 По данным одного Prometheus b:9090 хуже: latency."


def test_the_page_and_the_terminal_say_the_same() -> None:
    left = ReplicaStatus(name="a:9090", used=False, reason="it cannot be reached", left_since=START, worse=())
    worse = ReplicaStatus(name="b:9090", used=True, reason="", left_since=None, worse=("latency",))
    fine = ReplicaStatus(name="c:9090", used=True, reason="", left_since=None, worse=())
    assert [status_text.replica(each, NOW) for each in (left, worse, fine)] == [
        "Prometheus a:9090 has been left out for 4 min: it cannot be reached.",
        "By Prometheus b:9090 alone it is worse: latency.",
        "",
    ]
