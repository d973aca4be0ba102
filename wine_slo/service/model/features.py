"""A wine as the model sees it: thirteen measurements, and how raw values become a valid sample.

The names are those of `sklearn.datasets.load_wine`, the slash in `od280/od315_of_diluted_wines` included: the model
card, the metrics' labels and every client that was written against the data set use them already.
Units: UCI's page of the data set gives none; these are the usual ones of the laboratory methods behind it
(Forina et al., PARVUS, 1988).
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

LIMIT = 1e9  # nothing measured in a wine comes near, and no model overflows below it
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)  # 1,060 is 1060 to some and 1.06 to others
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)

Raw = TypeVar("Raw")


@dataclass(frozen=True, slots=True)
class Feature:
    """One measurement: its name in JSON, forms and labels, and its unit ("" for a ratio)."""

    name: str
    unit: str


FEATURES = (
    Feature("alcohol", "% vol"),
    Feature("malic_acid", "g/L"),
    Feature("ash", "g/L"),
    Feature("alcalinity_of_ash", "meq/L"),
    Feature("magnesium", "mg/L"),
    Feature("total_phenols", "g/L"),
    Feature("flavanoids", "g/L"),
    Feature("nonflavanoid_phenols", "g/L"),
    Feature("proanthocyanins", "g/L"),
    Feature("color_intensity", "AU"),  # absorbance at 420 + 520 + 620 nm
    Feature("hue", ""),  # absorbance at 420 nm to that at 520 nm
    Feature("od280/od315_of_diluted_wines", ""),
    Feature("proline", "mg/L"),
)
NAMES = tuple(feature.name for feature in FEATURES)
ROW = "request"  # the one field of a form that holds all thirteen; clients of the first version send it


class FieldMistake(StrEnum):
    """What can be wrong with one field."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    DUPLICATE = "duplicate"
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    TOO_LARGE = "too_large"
    NEGATIVE = "negative"
    DECIMAL_COMMA = "decimal_comma"
    NOT_THIRTEEN = "not_thirteen"  # of a row


DETAILS = {
    FieldMistake.MISSING: "is missing",
    FieldMistake.UNKNOWN: "is not one of the 13 measurements",
    FieldMistake.DUPLICATE: "is given more than once",
    FieldMistake.NOT_A_NUMBER: "is not a number",
    FieldMistake.NOT_FINITE: "is not a finite number",
    FieldMistake.TOO_LARGE: f"is beyond ±{LIMIT:.0e}, which no wine has",
    FieldMistake.NEGATIVE: "is below 0, which no wine has",
    FieldMistake.DECIMAL_COMMA: "may be thousands or thousandths; write a point, as in 1.06, or no comma",
    FieldMistake.NOT_THIRTEEN: "is not 13 numbers separated by commas",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong, and how."""

    field: str
    mistake: FieldMistake

    @property
    def detail(self) -> str:
        """Return the mistake in words that follow the field's name."""
        return DETAILS[self.mistake]


class SampleError(ValueError):
    """Raw values that are no sample; `errors` has one entry for each wrong field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field} {error.detail}" for error in errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class WineSample:
    """Thirteen finite numbers within the limit, in the order of `FEATURES`."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Reject what is no sample.

        Raises:
            SampleError: a value is not finite or beyond the limit.
        """
        if not sum(map(abs, self.values)) <= LIMIT:  # the quick way to know that all is well; NaN fails it too
            weighed = zip(NAMES, map(weigh, self.values), strict=True)
            errors = [FieldError(name, mistake) for name, mistake in weighed if mistake]
            if errors:
                raise SampleError(errors)


def parse(fields: Iterable[tuple[str, Raw]], read: Callable[[Raw], float | FieldMistake]) -> WineSample:
    """Return the sample that named raw values make; `read` turns one of them into a number.

    Raises:
        SampleError: fields are missing, unknown, given twice or no numbers.
    """
    given: dict[str, float | FieldMistake] = {}
    unknown: dict[str, None] = {}  # a set that keeps the order
    for name, raw in fields:
        if name not in NAMES:
            unknown[name] = None
        elif name in given:
            given[name] = FieldMistake.DUPLICATE
        else:
            given[name] = read(raw)
    values: list[float] = []
    errors: list[FieldError] = []
    for name in NAMES:
        value = given.get(name, FieldMistake.MISSING)
        if isinstance(value, FieldMistake):
            errors.append(FieldError(name, value))
        else:
            values.append(value)
    errors += [FieldError(name, FieldMistake.UNKNOWN) for name in unknown]
    if errors:
        raise SampleError(errors)
    return WineSample(tuple(values))


def parse_row(text: str) -> WineSample:
    """Return the sample that thirteen numbers in the order of `FEATURES`, separated by commas, make.

    Raises:
        SampleError: there are not thirteen of them, or some are no numbers.
    """
    values = text.split(",")
    if len(values) != len(FEATURES):
        raise SampleError([FieldError(ROW, FieldMistake.NOT_THIRTEEN)])
    return parse(zip(NAMES, values, strict=True), read_text)


def read_number(value: object) -> float | FieldMistake:
    """Return the number that a JSON value is; neither booleans nor strings are numbers."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return FieldMistake.NOT_A_NUMBER
    if isinstance(value, int) and abs(value) > LIMIT:  # may be too long for a float
        return FieldMistake.TOO_LARGE
    return weigh(value) or float(value)


def read_text(text: str) -> float | FieldMistake:
    """Return the number that a text is."""
    text = text.strip()
    if not text:
        return FieldMistake.MISSING
    if NUMBER.fullmatch(text):
        return weigh(float(text)) or float(text)
    if DECIMAL_COMMA.fullmatch(text):
        return FieldMistake.DECIMAL_COMMA
    return FieldMistake.NOT_FINITE if NOT_FINITE.fullmatch(text) else FieldMistake.NOT_A_NUMBER


def read_field(text: str) -> float | FieldMistake:
    """Return the number in a field of the form, where people write a decimal comma and none means less than 0."""
    text = text.strip()
    if DECIMAL_COMMA.fullmatch(text) and not THOUSANDS.fullmatch(text):
        text = text.replace(",", ".")
    value = read_text(text)
    return FieldMistake.NEGATIVE if isinstance(value, float) and value < 0 else value


def weigh(value: float) -> FieldMistake | None:
    """Return what is wrong with a number's size, None where nothing is."""
    if not math.isfinite(value):
        return FieldMistake.NOT_FINITE
    return FieldMistake.TOO_LARGE if abs(value) > LIMIT else None
