import re
from pathlib import Path

import pytest

from wine_slo.service.model import model_file
from wine_slo.service.model.features import FEATURES, NAMES, FieldError, FieldMistake
from wine_slo.service.web.form import LANGUAGES, FormOutcome, render
from wine_slo.service.web.form_texts import TEXTS

CARD = model_file.load(Path("models/model.pkl")).card


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_a_text_for_everything(language: str) -> None:
    texts = TEXTS[language]
    assert set(texts.mistakes) == set(FieldMistake)
    assert set(texts.features) == set(NAMES)
    assert set(texts.units) == {feature.unit for feature in FEATURES}
    assert set(texts.cultivars) == {each.cultivar for each in CARD.classes}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_has_a_label_its_unit_and_the_range_seen_in_training(language: str) -> None:
    page = render(CARD, language, {})
    for place, feature in enumerate(CARD.features):
        assert f'<label for="f{place}">' in page
        assert f'name="{feature.name}"' in page
        assert f"{feature.lowest:g}–{feature.highest:g}" in page


def test_nothing_of_the_template_is_left_over() -> None:
    page = render(CARD, "en", {})
    assert "{{" not in page
    assert "{%" not in page


@pytest.mark.parametrize("field", [*NAMES, "request", "vintage"])
def test_what_was_filled_in_and_what_is_unknown_is_escaped(field: str) -> None:
    page = render(CARD, "en", {field: '"><b>'}, errors=[FieldError(field, FieldMistake.NOT_A_NUMBER)])
    assert "<b>" not in page
    assert "<b>" not in render(CARD, "en", {}, errors=[FieldError("<b>", FieldMistake.UNKNOWN)])


def test_bars_are_as_long_as_their_shares() -> None:
    shares = {"Barolo": 0.25, "Grignolino": 0.7, "Barbera": 0.05}
    page = render(CARD, "en", {}, outcome=FormOutcome("Grignolino", shares, ["hue"]))
    assert re.findall(r'<rect width="([\d.]+)"', page) == ["25.00", "70.00", "5.00"]
    assert "It is a Grignolino" in page
    assert 'Hue <span class="range">(0.48–1.71)</span>' in page
