"""The runbook has a section for every message that the bot sends, and none for what it does not send."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from gettext import NullTranslations
from pathlib import Path

import pytest

from tests.support.message_examples import BESIDE, EXAMPLES
from tests.support.runbook_examples import ENGLISH, MESSAGES, PAGE, VARIANTS, examples, rewritten
from wine_slo.slo.evaluation.incident import Interruption
from wine_slo.slo.notification.policy import DelayReason
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.notification.runbook import Section
from wine_slo.slo.objectives.kinds import KINDS

ROOT = Path(__file__).parents[2]
TEXT = PAGE.read_text()
PARTS = ("It means", "First", "It ends by itself", "It is not")
PARTS_OF_MANY = ("They mean", "First", "They end by themselves", "They are not")
SAID = {"say": (0,), "count": (1, 2), "phrase": (0,), "plural": (0, 1)}  # which arguments are sentences

SENDS = ("send", "announce", "_announce")
# What sends, and which sections have what it sends; a new place that sends needs a section.
OF_INCIDENTS = {*Section} - {
    Section.CHAT_UNREACHABLE,
    Section.NO_COMMANDS,
    Section.TAKEOVER,
    Section.SILENCE,
    Section.DRILL,
    Section.CHART,
    Section.BOARD,
    Section.DIGEST,
    Section.ANSWER,
}
SENDERS = {
    "integrations/telegram/updates.py": {Section.ANSWER, Section.CHART, Section.DRILL},
    "monitor/loops.py": {Section.NO_COMMANDS, Section.TAKEOVER},
    "monitor/chatops/oncall.py": {Section.SILENCE},
    "monitor/drill/chat_command.py": {Section.DRILL},
    "monitor/notify/announcements.py": {Section.SILENCE, Section.DRILL, Section.TAKEOVER},
    "monitor/notify/dispatcher.py": {Section.CHAT_UNREACHABLE},
    "monitor/notify/sender.py": OF_INCIDENTS,
    "monitor/publish/board.py": {Section.BOARD},
    "monitor/publish/charts.py": {Section.CHART},
    "monitor/publish/digest.py": {Section.DIGEST},
    "slo/chat/gate.py": set(),  # which lets through what others send
}
OF_KINDS = {
    Kind.BREACH: {Section(each.replace("_", "-")) for each in KINDS},
    Kind.EDIT: {Section.KEPT_OPEN},
    Kind.REMINDER: {Section.REMINDER},
    Kind.ESCALATION: {Section.ESCALATION},
    Kind.RECOVERY: {Section.RECOVERY, Section.NO_RECOVERY},
    Kind.CLOSE: {Section.RECOVERY, Section.NO_RECOVERY},
    Kind.MISSED: {Section.LATE, Section.RESTART},
    Kind.CHART: {Section.CHART},
    Kind.BOARD: {Section.BOARD},
    Kind.DIGEST: {Section.DIGEST},
    Kind.UNREACHABLE: {Section.CHAT_UNREACHABLE},
}
INCIDENTS = ROOT / "wine_slo" / "slo" / "text" / "incidents"
MODULES = (*INCIDENTS.glob("[a-z]*.py"), ROOT / "wine_slo" / "slo" / "views" / "digest_text.py")  # of such messages
OF_ANSWERS = {  # what the bot says in them only where it is requested
    "Bad by {label}, in {duration}: {values}.",
    "No label to compare.",
    "No value stands out.",
    "{value} {bad} of {total}",
    "budget: {facts}",
    "{budget} (last known {time})",
    "Not evaluating",
}


def section(name: str) -> str:
    """The text of a section."""
    found = re.search(rf'<a id="{name}"></a>\n(.*?)(?=<a id=|^## |\Z)', TEXT, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


def test_every_message_has_a_section_and_every_section_a_message() -> None:
    anchors = re.findall(r'<a id="([\w-]+)"></a>', TEXT)
    assert sorted(anchors) == sorted(Section)
    assert MESSAGES.keys() == {*Section}


def test_the_examples_on_the_page_are_what_the_code_says() -> None:
    """`python -m tests.support.runbook_examples` writes them anew."""
    assert rewritten(TEXT) == TEXT
    assert all(f"```text\n{examples(each, ENGLISH)}\n```" in section(each) for each in Section)


@pytest.mark.parametrize("name", Section)
def test_a_section_says_what_it_means_what_to_do_when_it_ends_and_what_it_is_not(name: Section) -> None:
    text = section(name)
    said = re.findall(r"^\*\*([^*]+)\*\*", text, re.MULTILINE)
    assert said in ([*PARTS], [*PARTS_OF_MANY], ["It means", "First", "They end by themselves", "It is not"])
    steps = text.partition("**First**")[2].partition("\n**")[0]
    assert [*re.findall(r"^\d", steps, re.MULTILINE)] == ["1", "2", "3"]


def test_every_section_is_found_by_the_first_words_of_its_message() -> None:
    index = TEXT.partition("\n## ")[0]
    assert {*re.findall(r"\]\(#([\w-]+)\)", index)} == {*Section} - {Section.ANSWER}


def test_no_link_within_the_page_leads_nowhere() -> None:
    assert {*re.findall(r"\]\(#([\w-]+)\)", TEXT)} <= {*Section}


def test_every_example_of_a_message_is_in_a_section() -> None:
    shown = {id(say) for those in MESSAGES.values() for say in those}
    assert [name for name, say in (EXAMPLES | BESIDE).items() if id(say) not in shown and not _is_shown(name)] == []


def _is_shown(name: str) -> bool:
    """Whether an example is a variant of one that is shown: its first line differs in numbers and names alone."""
    said = (EXAMPLES | BESIDE)[name](ENGLISH)
    heads = [_head(say(ENGLISH)) for those in MESSAGES.values() for say in those]
    return _head(said) in heads


def _head(text: str) -> str:
    return re.sub(r"[\d.,–]+ ?(ms|s|min|h|%)?|</?b>", "", text.split("\n", maxsplit=1)[0])


class Recorder(NullTranslations):
    """Translates nothing, and keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def gettext(self, message: str) -> str:
        self.seen.add(message)
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.seen |= {msgid1, msgid2}
        return msgid1 if n == 1 else msgid2


def test_every_sentence_of_a_message_occurs_in_an_example() -> None:
    """A new one belongs into an example of its section in tests/support/runbook_examples.py, or else into a variant."""
    recorder = Recorder()
    fmt = replace(ENGLISH, language=replace(ENGLISH.language, translations=recorder))
    for say in (*(say for those in MESSAGES.values() for say in those), *(EXAMPLES | BESIDE).values(), *VARIANTS):
        say(fmt)
    assert {each for module in MODULES for each in _sentences(module)} - recorder.seen == OF_ANSWERS


def _sentences(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            texts = [node.args[each] for each in SAID.get(name, ()) if each < len(node.args)]
            yield from (each.value for each in texts if isinstance(each, ast.Constant) and isinstance(each.value, str))


def test_every_place_that_sends_is_known() -> None:
    assert {*_senders()} == SENDERS.keys()
    assert set().union(*SENDERS.values()) == {*Section}


def _senders() -> Iterator[str]:
    for path in (ROOT / "wine_slo").rglob("*.py"):
        if not re.search(r"(send|announce|show)\(", path.read_text()):
            continue
        calls = [each.func for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call)]
        names = {(ast.unparse(each.value), each.attr) for each in calls if isinstance(each, ast.Attribute)}
        if any(name in SENDS or (name == "show" and "channel" in of) for of, name in names):
            yield path.relative_to(ROOT / "wine_slo").as_posix()


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_notification_has_a_section(kind: Kind) -> None:
    assert OF_KINDS[kind] <= MESSAGES.keys()


@pytest.mark.parametrize(("kind", "name"), [(Interruption, Section.RESTART), (DelayReason, Section.LATE)])
def test_every_reason_of_a_message_has_an_example(kind: type[Interruption | DelayReason], name: Section) -> None:
    assert len({_head(say(ENGLISH)) for say in MESSAGES[name]}) >= len(kind)
