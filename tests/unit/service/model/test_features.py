import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_wine

from wine_slo.service.model.features import (
    FEATURES,
    LIMIT,
    NAMES,
    FieldMistake,
    SampleError,
    WineSample,
    parse,
    parse_row,
    read_field,
    read_number,
    read_text,
)

VALUES = tuple(float(number) for number in range(1, 14))
FIELDS = list(zip(NAMES, VALUES, strict=True))


def test_the_names_are_those_of_the_data_set_in_its_order() -> None:
    assert list(NAMES) == load_wine().feature_names


def test_fields_in_any_order_make_the_sample_of_the_features_order() -> None:
    assert parse(reversed(FIELDS), read_number) == WineSample(VALUES)


@given(st.lists(st.floats(-LIMIT, LIMIT), min_size=13, max_size=13))
def test_a_row_is_read_to_the_last_bit(values: list[float]) -> None:
    try:
        sample = WineSample(tuple(values))
    except SampleError:
        pytest.fail("every one of them is within the limit")
    assert parse_row(",".join(map(repr, values))) == sample


@given(st.lists(st.floats(), min_size=13, max_size=13))
def test_a_sample_that_exists_is_finite_and_within_the_limit(values: list[float]) -> None:
    try:
        sample = WineSample(tuple(values))
    except SampleError as error:
        wrong = {error.field for error in error.errors}
        assert wrong == {name for name, value in zip(NAMES, values, strict=True) if not abs(value) <= LIMIT}
    else:
        assert all(abs(value) <= LIMIT for value in sample.values)


def test_every_wrong_field_is_reported_at_once_in_the_features_order_and_unknown_ones_last() -> None:
    fields = [("vintage", 1990.0), *FIELDS[2:], ("ash", 1.0), ("hue", "x")]
    with pytest.raises(SampleError) as caught:
        parse([field for field in fields if field != ("hue", 11.0)], read_number)
    assert [(error.field, error.mistake) for error in caught.value.errors] == [
        ("alcohol", FieldMistake.MISSING),
        ("malic_acid", FieldMistake.MISSING),
        ("ash", FieldMistake.DUPLICATE),
        ("hue", FieldMistake.NOT_A_NUMBER),
        ("vintage", FieldMistake.UNKNOWN),
    ]


def test_a_field_given_twice_is_wrong_even_where_both_say_the_same() -> None:
    with pytest.raises(SampleError, match="alcohol is given more than once"):
        parse([*FIELDS, FIELDS[0]], read_number)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        pytest.param(13, 13.0, id="a whole number is a number"),
        pytest.param(-1.5, -1.5, id="a number may be negative; the range in training says that it is odd"),
        pytest.param(True, FieldMistake.NOT_A_NUMBER, id="true is no number"),
        pytest.param("13", FieldMistake.NOT_A_NUMBER, id="a string is no number in JSON"),
        pytest.param(None, FieldMistake.NOT_A_NUMBER, id="null is no number"),
        pytest.param([13], FieldMistake.NOT_A_NUMBER, id="an array is no number"),
        pytest.param(math.nan, FieldMistake.NOT_FINITE, id="NaN is not finite"),
        pytest.param(-math.inf, FieldMistake.NOT_FINITE, id="infinity is not finite"),
        pytest.param(10**400, FieldMistake.TOO_LARGE, id="more than a float can hold is too large"),
        pytest.param(1.1e9, FieldMistake.TOO_LARGE, id="beyond the limit is too large"),
    ],
)
def test_a_json_value_is_read(value: object, read: float | FieldMistake) -> None:
    assert read_number(value) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param(" 13.2\t", 13.2, id="blanks around it do not matter"),
        pytest.param("+1.32E1", 13.2, id="an exponent is fine"),
        pytest.param(".5", 0.5, id="a leading point is fine"),
        pytest.param("0", 0.0, id="nought is a number"),
        pytest.param("-0.0", 0.0, id="and so is its negative"),
        pytest.param("", FieldMistake.MISSING, id="an empty field is missing"),
        pytest.param("13,2", FieldMistake.DECIMAL_COMMA, id="a decimal comma is explained"),
        pytest.param("1_000", FieldMistake.NOT_A_NUMBER, id="Python's underscores are not for people"),
        pytest.param("١٣", FieldMistake.NOT_A_NUMBER, id="digits are 0 to 9"),
        pytest.param("0x1f", FieldMistake.NOT_A_NUMBER, id="hexadecimal is no measurement"),
        pytest.param("nan", FieldMistake.NOT_FINITE, id="nan is not finite"),
        pytest.param("-Infinity", FieldMistake.NOT_FINITE, id="infinity is not finite"),
        pytest.param("1e999", FieldMistake.NOT_FINITE, id="what overflows is not finite"),
        pytest.param("9999999999", FieldMistake.TOO_LARGE, id="beyond the limit is too large"),
    ],
)
def test_a_text_is_read(text: str, read: float | FieldMistake) -> None:
    assert read_text(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param("13,2", 13.2, id="a decimal comma"),
        pytest.param(" +13,25 ", 13.25, id="with a sign and blanks"),
        pytest.param("0,345", 0.345, id="three digits that cannot be thousands"),
        pytest.param("1060,5", 1060.5, id="nor these"),
        pytest.param("1,060", FieldMistake.DECIMAL_COMMA, id="three digits that can be thousands"),
        pytest.param("1,2,3", FieldMistake.NOT_A_NUMBER, id="two commas"),
        pytest.param("1.060,5", FieldMistake.NOT_A_NUMBER, id="a point and a comma"),
        pytest.param("-1", FieldMistake.NEGATIVE, id="less than nothing"),
        pytest.param("-0,5", FieldMistake.NEGATIVE, id="less than nothing, with a comma"),
        pytest.param("-0.0", 0.0, id="nought with a sign"),
    ],
)
def test_a_field_of_the_form_is_read_as_people_write_it(text: str, read: float | FieldMistake) -> None:
    assert read_field(text) == read


@pytest.mark.parametrize("numbers", [12, 14])
def test_a_row_of_another_length_is_refused_as_a_whole(numbers: int) -> None:
    with pytest.raises(SampleError, match="request is not 13 numbers"):
        parse_row(",".join(["1"] * numbers))


def test_there_are_thirteen_features() -> None:
    assert len(FEATURES) == 13
