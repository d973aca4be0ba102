import re
from pathlib import Path

import pytest

from wine_slo.service.model import model_file
from wine_slo.service.model.features import FEATURES, NAMES, FieldError, FieldMistake
from wine_slo.service.web.form import LANGUAGES, WORDS, FormOutcome, Language, render

CARD = model_file.load(Path("models/model.pkl")).card


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_a_word_for_everything(language: Language) -> None:
    words = WORDS[language]
    assert set(words.mistakes) == set(FieldMistake)
    assert set(words.features) == set(NAMES)
    assert set(words.units) == {feature.unit for feature in FEATURES}
    assert set(words.cultivars) == {each.cultivar for each in CARD.classes}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_has_a_label_its_unit_and_the_range_seen_in_training(language: Language) -> None:
    page = render(CARD, language, {})
    for place, feature in enumerate(CARD.features):
        assert f'<label for="f{place}">' in page
        assert f'name="{feature.name}"' in page
        assert f"{feature.lowest:g}–{feature.highest:g}" in page


def test_nothing_of_the_template_is_left_over() -> None:
    assert "$" not in render(CARD, "en", {})


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
