from dataclasses import replace

import pytest

from tests.domain.scene import ALL, AVAILABILITY, ERRORS, LATENCY
from wine_slo.domain.naming import Named, UnknownNameError, resolve
from wine_slo.domain.objective import Key, Objectives

BY_PATH = Objectives.only(replace(LATENCY, by=("method", "path")), ERRORS)
GET, POST, HEALTH = (
    Key("latency", (("method", method), ("path", path)))
    for method, path in (("GET", "/predict"), ("POST", "/predict"), ("GET", "/health"))
)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        pytest.param("latency", Named("latency", Key("latency")), id="its name"),
        pytest.param("LATENCY", Named("latency", Key("latency")), id="in any letters"),
        pytest.param("lat", Named("latency", Key("latency")), id="how it begins"),
        pytest.param("Errors", Named("errors", Key("errors")), id="its title"),
        pytest.param("ability", Named("availability", Key("availability")), id="a part of it"),
        pytest.param("lat 6h", Named("latency", Key("latency"), ("6h",)), id="with words after it"),
        pytest.param("latency{}", Named("latency", Key("latency")), id="with empty braces"),
    ],
)
def test_an_objective_is_known_by(words: str, meant: Named) -> None:
    assert resolve(words.split(), ALL, ()) == meant


@pytest.mark.parametrize("words", ["", "nonsense", "y", "%", "\N{GRINNING FACE}", "{}", "latency\u202e"])
def test_what_means_nothing_or_several_things_says_what_there_is(words: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        resolve(words.split(), ALL, ())
    assert error.value.known == ("latency", "errors", "availability")


def test_where_there_is_only_one_it_need_not_be_named() -> None:
    assert resolve([], Objectives.only(AVAILABILITY), ()) == Named("availability", Key("availability"))


@pytest.mark.parametrize(
    ("words", "key", "rest"),
    [
        pytest.param("latency", None, (), id="none of them"),
        pytest.param("latency 6h", None, ("6h",), id="none of them, with words after it"),
        pytest.param("latency /health 6h", HEALTH, ("6h",), id="a value"),
        pytest.param("latency post", POST, (), id="in any letters"),
        pytest.param("latency heal", HEALTH, (), id="a part of a value"),
        pytest.param("latency /predict", None, ("/predict",), id="none, as two have that value"),
        pytest.param('latency{method="GET", path="/predict"} 6h', GET, ("6h",), id="as messages write it"),
        pytest.param("latency{method=GET,path=/predict}", GET, (), id="without quotes"),
    ],
)
def test_a_label_set_is_known_by(words: str, key: Key | None, rest: tuple[str, ...]) -> None:
    assert resolve(words.split(), BY_PATH, (GET, POST, HEALTH)) == Named("latency", key, rest)


def test_a_label_set_that_there_is_not_says_which_there_are() -> None:
    with pytest.raises(UnknownNameError) as error:
        resolve(["latency{path=/nowhere}"], BY_PATH, (GET, HEALTH))
    assert error.value.known == ("GET /predict", "GET /health")
