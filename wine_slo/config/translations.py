"""The catalogue: every sentence for people in the chat and in the form, in each language; the only door to Babel.

`wine_slo/locale/<code>/LC_MESSAGES/wine_slo.po` is read as it stands, so there is nothing to compile: it costs a start
20 ms and 1 MB. English is the name of each sentence, and has no file.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from wine_slo.slo.text.language import ENGLISH, LANGUAGES, Language

LOCALES = Path(__file__).parent.parent / "locale"


def load() -> dict[str, Language]:
    """Return every language by its code, with its sentences."""
    return {each.code: each if each == ENGLISH else _with_sentences(each) for each in LANGUAGES}


def read(language: Language) -> Catalog:
    """Return a language's file; not of English, which has none."""
    path = LOCALES / language.code / "LC_MESSAGES" / "wine_slo.po"
    with path.open("rb") as file:
        return read_po(file, locale=language.code, abort_invalid=True)


def _with_sentences(language: Language) -> Language:
    compiled = BytesIO()
    write_mo(compiled, read(language))
    compiled.seek(0)
    return replace(language, translations=GNUTranslations(compiled))


def extract(
    file: BinaryIO,
    names: Collection[str],
    comments: Collection[str],  # noqa: ARG001
    options: Mapping[str, object],  # noqa: ARG001
) -> Iterator[tuple[int, str, tuple[str | None, ...], list[str]]]:
    """Yield every call of one of these names that has a sentence among its arguments, for `pybabel extract`.

    Babel's own extractor reads tokens, and before Python 3.12 sees nothing inside an f-string.
    """
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield node.lineno, name, tuple(map(_sentence, node.args)) or (None,), []


def _sentence(argument: ast.expr) -> str | None:
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None
