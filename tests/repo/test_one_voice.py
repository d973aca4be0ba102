"""Whatever leaves the watchdog for people passes the gate of the one that leads; a new way out is named here first."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "wine_slo"

# Who makes a connection to the outside, and why none of them speaks past the gate.
CONNECTIONS = {
    "cli.py": "a person types it",
    "integrations/heartbeat.py": "checks the gate before each beat",
    "integrations/telegram/connection.py": "every request passes the gate, down to its last write",
    "integrations/telegram/rights.py": "the doctor examines a bot",
    "monitor/commands/run.py": "a person types it",
    "monitor/onboarding/init.py": "a person types it",
    "monitor/onboarding/suggest/command.py": "a person types it",
    "monitor/replay/command.py": "a person types it",
    "watchdog.py": "for queries of Prometheus, and a drill that a person has typed",
}
MADE = re.compile(r"AsyncClient\(|ClientSession\(|HTTPXRequest\b|ExtBot\(|smtplib|urlopen\(|open_connection\(")

# Who has a channel in its hands before it is behind the gate.
CHANNELS = {
    "integrations/console/channel.py",
    "integrations/telegram/channel.py",
    "integrations/telegram/updates.py",  # its bot passes the gate with each request
    "monitor/notify/channels.py",  # which gives no channel that is not behind the gate
}
CHANNEL = re.compile(r"\b(?:Console|Telegram)Channel\b")


def found(pattern: re.Pattern[str]) -> set[str]:
    modules = {each.relative_to(PACKAGE).as_posix(): each.read_text() for each in PACKAGE.rglob("*.py")}
    return {name for name, text in modules.items() if pattern.search(text)}


def test_nobody_else_makes_a_connection_by_which_something_could_be_said() -> None:
    assert found(MADE) - CONNECTIONS.keys() == set()


def test_nobody_else_has_a_channel_that_is_not_behind_the_gate() -> None:
    assert found(CHANNEL) == CHANNELS


def test_each_channel_is_given_out_behind_the_gate() -> None:
    text = (PACKAGE / "monitor" / "notify" / "channels.py").read_text()
    given = re.findall(r"return .*\.(?:alerts|answers)\b.*", text)
    assert given
    assert all("GatedChannel(" in each for each in given)
