"""The catalogue is whole: every sentence of the code in every language, with the same holes and all plural forms."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from tests.support.catalogue import written
from wine_slo.config import translations
from wine_slo.config.slo_file import load
from wine_slo.slo.reason import Reason
from wine_slo.slo.text.formatting import TITLES
from wine_slo.slo.text.language import ENGLISH, LANGUAGES, Language

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "wine_slo"
MAPPING = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"][0]
SAYING = {name: 1 if places else 0 for name, _, places in (each.partition(":") for each in MAPPING["keywords"])}
for mark in ("phrase", "plural"):  # what these mark is said, and its holes are filled, elsewhere
    SAYING.pop(mark)
WRITE_ANEW = "`make catalogue` writes the list anew, and a person translates what is new in it"
translated = pytest.mark.parametrize(
    "language", [each for each in LANGUAGES if each != ENGLISH], ids=lambda each: each.code
)


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What the code says, as `make catalogue` finds it."""
    path = tmp_path_factory.mktemp("catalogue") / "messages.pot"
    mapping = ROOT / "pyproject.toml"
    CommandLineInterface().run(  # type: ignore[no-untyped-call]
        ["pybabel", "--quiet", "extract", "--mapping", str(mapping), "--output", str(path), str(PACKAGE)]
    )
    with path.open("rb") as file:
        return read_po(file)


def messages(of: Catalog) -> dict[str, Message]:
    return {" / ".join(_texts(each.id)): each for each in of if each.id}


def _texts(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ("",))


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@translated
def test_every_sentence_is_translated_and_nothing_else_is(language: Language, sentences: Catalog) -> None:
    known = messages(written(language))
    missing = [name for name, each in known.items() if not all(_texts(each.string))]
    assert missing == [], f"not translated; {WRITE_ANEW}"
    assert sorted(messages(sentences).keys() - known.keys()) == [], f"not in the file; {WRITE_ANEW}"
    assert sorted(known.keys() - messages(sentences).keys()) == [], f"said nowhere; {WRITE_ANEW}"


@translated
def test_the_compiled_file_holds_what_is_written(language: Language) -> None:
    path = translations.LOCALES / language.code / "LC_MESSAGES" / f"{translations.DOMAIN}.mo"
    with path.open("rb") as file:
        compiled = read_mo(file)
    found = written(language)
    texts = [{name: _texts(each.string) for name, each in messages(of).items()} for of in (compiled, found)]
    assert texts[0] == texts[1], "`make catalogue` compiles it"
    assert (compiled.num_plurals, compiled.plural_expr) == (found.num_plurals, found.plural_expr)


@translated
def test_no_translation_is_a_guess_or_left_over(language: Language) -> None:
    found = written(language)
    assert [name for name, each in messages(found).items() if each.fuzzy] == []
    assert list(found.obsolete) == []


@translated
def test_a_translation_has_the_same_holes_and_every_plural_form(language: Language) -> None:
    found = written(language)
    for name, each in messages(found).items():
        texts = _texts(each.string)
        wanted = set.union(*map(holes, _texts(each.id)))
        assert all(holes(text) == wanted for text in texts), name
        assert len(texts) == (found.num_plurals if each.pluralizable else 1), name
        assert all(text == text.strip() and "!" not in text for text in texts), name
        markup = {(text.count("<b>"), text.count("</b>")) for text in (*texts, *_texts(each.id))}
        assert len(markup) == 1, name


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Every call that says a sentence of its own, with where it stands and the sentence."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                number = SAYING.get(name)
                text = node.args[number] if number is not None and len(node.args) > number else None
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node, text.value


def test_every_hole_of_a_sentence_is_filled_where_it_is_said() -> None:
    found = list(calls())
    assert len(found) > 50
    for where, call, text in found:
        given = {str(each.arg) for each in call.keywords if not str(each.arg).startswith("is_")}  # what an error claims
        kept = [each for each in call.args if isinstance(each, ast.Dict)]
        given |= {str(key.value) for each in kept for key in each.keys if isinstance(key, ast.Constant)}
        assert holes(text) - {"n"} == given - {"n"}, where


def test_what_is_said_inside_an_fstring_is_found(sentences: Catalog) -> None:
    assert "Monitoring restored: Prometheus answers." in messages(sentences)


def test_the_titles_that_are_shipped_are_in_the_catalogue() -> None:
    assert tuple(each.title for each in load(ROOT / "config" / "slo.yml").objectives().all) == TITLES


def test_english_needs_no_file() -> None:
    assert translations.load()["en"] is ENGLISH
    assert ENGLISH.say("What is in no catalogue, #{number}", number=1910) == "What is in no catalogue, #1910"


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (1, "Ещё 1 инцидент остаётся открытым."),
        (3, "Ещё 3 инцидента остаются открытыми."),
        (11, "Ещё 11 инцидентов остаются открытыми."),
        (22, "Ещё 22 инцидента остаются открытыми."),
        (1910, "Ещё 1\N{NO-BREAK SPACE}910 инцидентов остаются открытыми."),
    ],
)
def test_russian_has_three_plurals(n: int, text: str) -> None:
    assert translations.load()["ru"].count(n, "{n} more stays open.", "{n} more stay open.") == text


def test_a_reason_is_kept_as_a_value_and_written_in_any_language() -> None:
    reason = Reason(
        "Prometheus: {why}", {"why": Reason("it cannot be reached ({cause})", {"cause": Reason("connection refused")})}
    )
    assert str(reason) == "Prometheus: it cannot be reached (connection refused)"
    assert ENGLISH.explain(reason) == str(reason)
    assert translations.load()["ru"].explain(reason) == "Prometheus недоступен (в соединении отказано)"
    assert ENGLISH.explain("an older <reason>, kept as text") == "an older &lt;reason&gt;, kept as text"
