from dataclasses import replace

import pytest

from tests.support.scene import ALL, AVAILABILITY, ERRORS, LATENCY, incident
from wine_slo.config import translations
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.oncall.lookup import SPOKEN, Named, Names, UnknownNameError, UnknownNumberError
from wine_slo.slo.text.formatting import TITLES

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
    assert Names(ALL).resolve(words.split()) == meant


@pytest.mark.parametrize("words", ["", "nonsense", "y", "%", "\N{GRINNING FACE}", "{}", "latency\u202e"])
def test_what_means_nothing_or_several_things_says_what_there_is(words: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        Names(ALL).resolve(words.split())
    assert error.value.known == ("latency", "errors", "availability")


def test_where_there_is_only_one_it_need_not_be_named() -> None:
    assert Names(Objectives.only(AVAILABILITY)).resolve([]) == Named("availability", Key("availability"))


@pytest.mark.parametrize(
    ("words", "key", "rest"),
    [
        pytest.param("latency", None, (), id="none of them"),
        pytest.param("latency 6h", None, ("6h",), id="none of them, with words after it"),
        pytest.param("latency /health 6h", HEALTH, ("6h",), id="a value"),
        pytest.param("latency post", POST, (), id="in any letters"),
        pytest.param("latency heal", HEALTH, (), id="a part of a value"),
        pytest.param("latency /predict", Key("latency", (("path", "/predict"),)), (), id="the label that two have"),
        pytest.param('latency{method="GET", path="/predict"} 6h', GET, ("6h",), id="as messages write it"),
        pytest.param("latency{method=GET,path=/predict}", GET, (), id="without quotes"),
    ],
)
def test_a_label_set_is_known_by(words: str, key: Key | None, rest: tuple[str, ...]) -> None:
    assert Names(BY_PATH, (GET, POST, HEALTH)).resolve(words.split()) == Named("latency", key, rest)


def test_a_label_set_that_there_is_not_says_which_there_are() -> None:
    with pytest.raises(UnknownNameError) as error:
        Names(BY_PATH, (GET, HEALTH)).resolve(["latency{path=/nowhere}"])
    assert error.value.known == ("GET /predict", "GET /health")


@pytest.mark.parametrize(
    ("words", "near"), [("latncy", "latency"), ("avalability", "availability"), ("xyzzy", ""), ("задежрка", "latency")]
)
def test_a_slip_is_near_what_was_meant(words: str, near: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        Names(ALL).resolve(words.split())
    assert error.value.near == near


@pytest.mark.parametrize("words", ["#12 6h", "№12 6h", "№ 12 6h"])
def test_the_number_of_an_incident_names_what_it_is_about(words: str) -> None:
    names = Names(BY_PATH, (GET, POST), {12: incident(key=GET)})
    assert names.resolve(words.split()) == Named("latency", GET, ("6h",))
    with pytest.raises(UnknownNumberError, match="#13"):
        names.resolve(["#13"])


@pytest.mark.parametrize("words", ["latency{path=/predict}", "latency /predict"])
def test_an_objective_without_labels_has_no_label_set(words: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        Names(ALL).resolve(words.split())
    assert (error.value.word, error.value.near) == (words, "latency")


def test_every_title_of_the_shipped_objectives_is_known_in_every_language() -> None:
    for title in TITLES:
        assert SPOKEN[title.lower()][0] == translations.load()["ru"].say(title).lower()
