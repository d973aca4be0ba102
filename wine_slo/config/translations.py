"""The catalogue: every sentence for people in the chat and in the form, in each language.

The code reads `wine_slo/locale/<code>/LC_MESSAGES/wine_slo.mo`, which `make catalogue` compiles from the `.po` beside
it. English is the name of each sentence, and has no file.
"""

from dataclasses import replace
from gettext import translation
from pathlib import Path

from wine_slo.slo.text.language import ENGLISH, LANGUAGES, Language

DOMAIN = "wine_slo"
LOCALES = Path(__file__).parent.parent / "locale"


def load() -> dict[str, Language]:
    """Return every language by its code, with its sentences.

    Raises:
        OSError: The package is not whole: a language has no file.
    """
    return {each.code: each if each == ENGLISH else _with_sentences(each) for each in LANGUAGES}


def _with_sentences(language: Language) -> Language:
    return replace(language, translations=translation(DOMAIN, LOCALES, [language.code]))
