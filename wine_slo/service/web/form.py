"""The form of the thirteen measurements, and its result, as a page in any language of the catalogue.

The page needs no script: what is wrong and what the model predicts is in the page that comes back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wine_slo.http.pages import template
from wine_slo.service.model.classifier import ModelCard, SeenFeature
from wine_slo.service.model.features import NAMES, ROW, FieldError, FieldMistake
from wine_slo.service.web.form_texts import TEXTS, FormTexts

LANGUAGES = tuple(TEXTS)
PAGE = template(Path(__file__).parent / "templates", "form.html")


@dataclass(frozen=True, slots=True)
class FormOutcome:
    """What the model predicts: each grape's probability, the most probable one, and the features out of range."""

    cultivar: str
    probabilities: Mapping[str, float]
    out_of_range: Sequence[str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form.

    Attributes:
        number: Its place among the measurements.
        name: Its name in a request.
        feature: What is measured.
        label: Its name in the language of the page.
        unit: Likewise.
        value: What was filled in.
        error: What is wrong with that; "" where nothing is.
    """

    number: int
    name: str
    feature: SeenFeature
    label: str
    unit: str
    value: str
    error: str


def render(
    card: ModelCard,
    language: str,
    values: Mapping[str, str],
    *,
    errors: Sequence[FieldError] = (),
    outcome: FormOutcome | None = None,
) -> str:
    """Return the page.

    Args:
        card: the model's.
        language: its code.
        values: what was filled in, by field.
        errors: what is wrong with it.
        outcome: what the model predicts from it.
    """
    texts = TEXTS[language]
    by_field = {error.field: error.mistake for error in errors}
    row = values.get(ROW)
    row_error = error_of_row(texts, by_field) if row is not None else ""
    return PAGE.render(
        language=language,
        texts=texts,
        other_languages={code: each.language for code, each in TEXTS.items() if code != language},
        card=card,
        fields=[field(texts, card, place, values, {} if row_error else by_field) for place in range(len(NAMES))],
        failures=[failure(texts, *each) for each in by_field.items()],
        outcome=outcome,
        outside=[each for each in card.features if outcome and each.name in outcome.out_of_range],
        row=row or "",
        row_error=row_error,
    )


def field(
    texts: FormTexts, card: ModelCard, place: int, values: Mapping[str, str], mistakes: Mapping[str, FieldMistake]
) -> Field:
    """Return the field of a measurement."""
    feature = card.features[place]
    name = NAMES[place]
    error = texts.mistakes[mistakes[name]] if name in mistakes else ""
    label, unit = texts.features[feature.name], texts.units[feature.unit]
    return Field(place, name, feature, label, unit, values.get(name, ""), error)


def error_of_row(texts: FormTexts, mistakes: Mapping[str, FieldMistake]) -> str:
    """Return what is wrong with a row, in a line."""
    return " ".join(error_of(texts, name, mistake) for name, mistake in mistakes.items())


def error_of(texts: FormTexts, name: str, mistake: FieldMistake) -> str:
    """Return what is wrong with a field, with the field's name; a row has none."""
    text = texts.mistakes[mistake]
    return text if name == ROW else f"{texts.features.get(name, name)}: {text}"


def failure(texts: FormTexts, name: str, mistake: FieldMistake) -> tuple[int | None, str]:
    """Return a field that is wrong: its place in the form and its label; without a place it says what is wrong."""
    if name in NAMES:
        return NAMES.index(name), texts.features[name]
    return None, error_of(texts, name, mistake)
