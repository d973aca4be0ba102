"""What the form says, in each language of the catalogue."""

from collections.abc import Callable

import msgspec

from wine_slo.config import translations
from wine_slo.service.model.features import FieldMistake


class FormTexts(msgspec.Struct, frozen=True):
    """All that the page says in one language."""

    language: str  # its own name
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


def _texts(name: str, say: Callable[[str], str]) -> FormTexts:
    return FormTexts(
        language=name,
        title=say("Which grape is it?"),
        lead=say(
            "Thirteen laboratory measurements of a wine from Piedmont, and the model says which of three grapes it was "
            "made from."
        ),
        examples=say("Fill in a typical"),
        row=say("Or paste a row of 13 numbers"),
        row_hint=say("Separated by commas, in the order of the fields above; a point for decimals."),
        row_button=say("Classify the row"),
        measurements=say("Measurements"),
        seen=say("seen in training"),
        button=say("Classify"),
        clear=say("Clear"),
        result=say("It is a"),
        certainty=say("certainty"),
        probabilities=say("Probability of each grape"),
        outside=say("Outside the range that the model was trained on, so take the answer with care:"),
        wrong=say("Something is not right yet"),
        api=say("API"),
        model=say("Model"),
        mistakes={
            FieldMistake.MISSING: say("Enter a number."),
            FieldMistake.UNKNOWN: say("This is not one of the 13 measurements."),
            FieldMistake.DUPLICATE: say("This is given more than once."),
            FieldMistake.NOT_A_NUMBER: say("This is not a number; write it as 13.2."),
            FieldMistake.NOT_FINITE: say("This is not a finite number."),
            FieldMistake.TOO_LARGE: say("No wine has that much of it."),
            FieldMistake.NEGATIVE: say("A wine cannot have less than 0."),
            FieldMistake.DECIMAL_COMMA: say("This may be thousands or thousandths; write 1060 or 1.06."),
            FieldMistake.NOT_THIRTEEN: say("Enter 13 numbers separated by commas."),
        },
        features={
            "alcohol": say("Alcohol"),
            "malic_acid": say("Malic acid"),
            "ash": say("Ash"),
            "alcalinity_of_ash": say("Alcalinity of ash"),
            "magnesium": say("Magnesium"),
            "total_phenols": say("Total phenols"),
            "flavanoids": say("Flavanoids"),
            "nonflavanoid_phenols": say("Nonflavanoid phenols"),
            "proanthocyanins": say("Proanthocyanins"),
            "color_intensity": say("Colour intensity"),
            "hue": say("Hue"),
            "od280/od315_of_diluted_wines": say("OD280/OD315, diluted"),
            "proline": say("Proline"),
        },
        units={
            "": say("ratio"),
            "% vol": say("% vol"),
            "g/L": say("g/L"),
            "meq/L": say("meq/L"),
            "mg/L": say("mg/L"),
            "AU": say("AU"),
        },
        cultivars={
            "Barolo": say("Barolo"),
            "Grignolino": say("Grignolino"),
            "Barbera": say("Barbera"),
        },
    )


# The first language is for browsers that prefer none of them.
TEXTS = {code: _texts(language.name, language.say) for code, language in translations.load().items()}
