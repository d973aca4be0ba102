"""The form of the thirteen measurements, and the answer to it, as a page in English or Russian.

The page needs no script: whatever is wrong or answered is in the page that comes back. Its words are in `web/en.json`
and `web/ru.json`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Literal
from urllib.parse import quote

import msgspec

from wine_slo.service.model.classifier import ModelCard
from wine_slo.service.model.features import NAMES, ROW, FieldError, FieldMistake

Language = Literal["en", "ru"]
LANGUAGES: tuple[Language, ...] = ("en", "ru")  # the first where nobody says what they read
FILES = Path(__file__).parents[2] / "web"
PAGE = Template((FILES / "form.html").read_text())


class FormTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the page says in one language."""

    language: str
    title: str
    lead: str
    examples: str
    row: str
    row_hint: str
    row_button: str
    measurements: str
    seen: str
    button: str
    clear: str
    result: str
    certainty: str
    probabilities: str
    outside: str
    wrong: str
    api: str
    model: str
    mistakes: dict[FieldMistake, str]
    features: dict[str, str]
    units: dict[str, str]
    cultivars: dict[str, str]


WORDS = {
    language: msgspec.json.decode((FILES / f"{language}.json").read_bytes(), type=FormTexts) for language in LANGUAGES
}


@dataclass(frozen=True, slots=True)
class FormOutcome:
    """What the model said: each grape's probability, the one it chose, and the features out of range."""

    cultivar: str
    probabilities: Mapping[str, float]
    out_of_range: Sequence[str]


def render(
    card: ModelCard,
    language: Language,
    fields: Mapping[str, str],
    *,
    errors: Sequence[FieldError] = (),
    outcome: FormOutcome | None = None,
) -> str:
    """Return the page.

    Args:
        card: the model's.
        language: of the words.
        fields: what was filled in.
        errors: what is wrong with it.
        outcome: what the model said about it.
    """
    words = WORDS[language]
    by_field = {error.field: error.mistake for error in errors}
    row = fields.get(ROW)
    row_error = error_text(words, by_field) if row is not None and errors else ""
    return PAGE.substitute(
        lang=language,
        page_title=escape(f"{words.wrong if errors else words.title} · wine-slo"),
        languages=" ".join(
            f'<a href="/ui?lang={each}" lang="{each}" hreflang="{each}">{WORDS[each].language}</a>'
            for each in LANGUAGES
            if each != language
        ),
        api=words.api,
        title=escape(words.title),
        lead=escape(words.lead),
        outcome=failed(words, by_field) if errors else succeeded(words, card, outcome) if outcome else "",
        examples_label=escape(words.examples),
        examples=" ".join(
            f'<a href="/ui?lang={language}&amp;example={quote(example.cultivar)}">{grape(words, example.cultivar)}</a>'
            for example in card.examples
        ),
        measurements=escape(words.measurements),
        fields="\n".join(
            field(words, card, place, fields.get(name, ""), None if row_error else by_field.get(name))
            for place, name in enumerate(NAMES)
        ),
        button=escape(words.button),
        clear=escape(words.clear),
        row=escape(words.row),
        row_hint=escape(words.row_hint),
        row_value=escape(row or ""),
        row_error=f'<p class="error" id="row-error">{escape(row_error)}</p>' if row_error else "",
        row_error_id=" row-error" if row_error else "",
        row_invalid=' aria-invalid="true"' if row_error else "",
        row_button=escape(words.row_button),
        model=escape(f"{words.model} {card.version}, {card.trained_at:%Y-%m-%d}, sha256 {card.sha256[:12]}"),
    )


def error_text(words: FormTexts, by_field: Mapping[str, FieldMistake]) -> str:
    """Return what is wrong with a row, in a line."""
    return " ".join(
        words.mistakes[mistake] if name == ROW else f"{words.features.get(name, name)}: {words.mistakes[mistake]}"
        for name, mistake in by_field.items()
    )


def field(words: FormTexts, card: ModelCard, place: int, value: str, mistake: FieldMistake | None) -> str:
    """Return one labelled field with its unit, the range seen in training, and what is wrong with it."""
    feature = card.features[place]
    wrong = f'<p class="error" id="f{place}-error">{escape(words.mistakes[mistake])}</p>' if mistake else ""
    return (
        f'<div class="field{" wrong" if mistake else ""}">'
        f'<label for="f{place}">{escape(words.features[feature.name])}</label>'
        f'<div class="box"><input id="f{place}" name="{escape(feature.name)}" value="{escape(value)}" '
        f'inputmode="decimal" autocomplete="off" '
        f'aria-describedby="f{place}-unit f{place}-seen{f" f{place}-error" if mistake else ""}"'
        f"{' aria-invalid=true' if mistake else ''}>"
        f'<span id="f{place}-unit">{escape(words.units[feature.unit])}</span></div>'
        f'<small id="f{place}-seen">{feature.lowest:g}–{feature.highest:g} {escape(words.seen)}</small>{wrong}</div>'
    )


def failed(words: FormTexts, by_field: Mapping[str, FieldMistake]) -> str:
    """Return the list of what is wrong, each leading to its field."""
    entries = ", ".join(
        f'<a href="#f{NAMES.index(name)}">{escape(words.features[name])}</a>'
        if name in NAMES
        else escape(error_text(words, {name: mistake}))
        for name, mistake in by_field.items()
    )
    return (
        '<section class="outcome failed" role="alert" tabindex="-1" autofocus>'
        f"<h2>{escape(words.wrong)}</h2><p>{entries}</p></section>"
    )


def grape(words: FormTexts, cultivar: str) -> str:
    """Return a grape's name in the page's language, or its own where a model of someone else's knows another grape."""
    return escape(words.cultivars.get(cultivar, cultivar))


def succeeded(words: FormTexts, card: ModelCard, outcome: FormOutcome) -> str:
    """Return the answer with a bar for each grape's probability."""
    bars = "\n".join(
        f'<dt{chosen}>{grape(words, cultivar)}</dt><dd{chosen} aria-hidden="true">'
        f'<svg viewBox="0 0 100 1" preserveAspectRatio="none"><rect width="{share * 100:.2f}" height="1"/></svg></dd>'
        f'<dd class="number{" chosen" if chosen else ""}">{share * 100:.1f} %</dd>'
        for cultivar, share in outcome.probabilities.items()
        for chosen in [' class="chosen"' if cultivar == outcome.cultivar else ""]
    )
    outside = ", ".join(
        f'{escape(words.features[feature.name])} <span class="range">({feature.lowest:g}–{feature.highest:g})</span>'
        for feature in card.features
        if feature.name in outcome.out_of_range
    )
    certainty = f"{words.certainty} {outcome.probabilities[outcome.cultivar] * 100:.1f} %"
    return (
        '<section class="outcome" role="status" tabindex="-1" autofocus>'
        f"<h2>{escape(words.result)} {grape(words, outcome.cultivar)} <small>{escape(certainty)}</small></h2>"
        f'<dl class="bars" aria-label="{escape(words.probabilities)}">{bars}</dl>'
        f'{f"""<p class="care">{escape(words.outside)} {outside}.</p>""" if outside else ""}</section>'
    )
