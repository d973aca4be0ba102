"""What the tutorial and the runbook quote is said by the program: no sentence in them is made up."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/tutorials/telegram.md", "docs/runbook.md", "docs/how-to/operations.md")
COMMANDS = "/ wine-slo curl docker journalctl systemctl git kill make chmod mv promtool .venv ledger".split()  # noqa: SIM905
OF_OTHERS = {"deadline exceeded", "no such host", "make"}  # what Prometheus says
LEAST_LETTERS = 7  # of a text of the program that a quotation is compared with
HOLE = re.compile(r"\\\{\w*\\\}")


@cache
def said() -> list[re.Pattern[str]]:
    """Every text in the program, as a pattern of what it can read."""
    found = set()
    for path in (ROOT / "wine_slo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [each.value if isinstance(each, ast.Constant) else "{x}" for each in node.values]
                found.add("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                found.add(re.sub(r"%(s|d|\.0f)", "{x}", node.value))
    long = [each for each in found if len(re.findall("[a-zA-Z]", re.sub(r"\{\w*\}", "", each))) >= LEAST_LETTERS]
    return [re.compile(HOLE.sub(".+", re.escape(each)), re.IGNORECASE) for each in long if len(each) < 400]


@pytest.mark.parametrize("page", PAGES)
def test_every_sentence_that_a_page_quotes_is_said_by_the_program(page: str) -> None:
    text = (ROOT / page).read_text()
    shown = "".join(re.findall(r"```.*?```", text, re.DOTALL))  # of the runbook, what the code has made
    words = " ".join(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split())
    quoted = {each for each in re.findall(r"`([^`]+)`", words) if re.search(r"[A-Za-z]{2} [A-Za-z]", each)}
    sentences = {each for each in quoted if not each.startswith(tuple(COMMANDS)) and "=" not in each} - OF_OTHERS
    assert sentences
    assert [each for each in sorted(sentences) if each.strip(" .…") not in shown and not _is_said(each)] == []


def _is_said(quoted: str) -> bool:
    """Whether a text of the program reads so, or begins or goes on so."""
    words = re.sub(r"^\W+ ", "", quoted).strip(" .…").replace(" … ", " x ").lower()
    return any(
        each.fullmatch(words) or each.fullmatch(f"{words}.") or words in each.pattern.replace("\\", "").lower()
        for each in said()
    )
