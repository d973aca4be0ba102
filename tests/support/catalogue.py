"""The translations as people write them: the `.po` of a language."""

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from wine_slo.config.translations import DOMAIN, LOCALES
from wine_slo.slo.text.language import Language


def written(language: Language) -> Catalog:
    """Return a language's file; English has none."""
    path = LOCALES / language.code / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as file:
        return read_po(file, locale=language.code, abort_invalid=True)
