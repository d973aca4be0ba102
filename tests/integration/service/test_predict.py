import asyncio
import gzip
import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import joblib
import numpy as np
import pytest
from pytest_aiohttp.plugin import AiohttpClient
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from tests.integration.service.conftest import SHIPPED, Client, metrics
from tests.integration.service.wines import ROW, VALUES, WINE, WINES
from wine_slo.service.app import create_app
from wine_slo.service.metrics.after_answers import AfterAnswers
from wine_slo.service.metrics.instruments import ServerInstruments
from wine_slo.service.model import model_file, training
from wine_slo.service.model.classifier import Engine
from wine_slo.service.model.features import NAMES, WineSample
from wine_slo.service.predictor import Predictor
from wine_slo.service.settings import ServerSettings

JSON = {"Content-Type": "application/json"}


async def errors(response: aiohttp.ClientResponse, status: int = 422) -> list[tuple[str, str, str]]:
    """Return field, code and pointer of each entry of a problem document."""
    assert (response.status, response.content_type) == (status, "application/problem+json"), await response.text()
    problem = await response.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["request_id"] == response.headers["X-Request-ID"]
    return [(each["field"], each["code"], each["pointer"]) for each in problem.get("errors", [])]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"json": WINE}, id="a JSON object"),
        pytest.param({"json": dict(reversed(WINE.items()))}, id="in any order"),
        pytest.param({"data": {name: str(value) for name, value in WINE.items()}}, id="a form"),
        pytest.param({"data": {name: str(value).replace(".", ",") for name, value in WINE.items()}}, id="with commas"),
        pytest.param({"data": {"request": ROW}}, id="a row, as the first version's clients send it"),
        pytest.param({"data": {"request": f" {ROW.replace(',', ' , ')} "}}, id="a row with blanks"),
        pytest.param(
            {"data": json.dumps(WINE), "headers": {"Content-Type": "application/json; q=1"}}, id="a parameter"
        ),
    ],
)
async def test_one_wine_is_answered_whatever_form_it_comes_in(client: Client, body: dict[str, Any]) -> None:
    response = await client.post("/predict", **body)
    assert response.status == 200, await response.text()
    assert response.headers["Cache-Control"] == "no-store"
    answer = await response.json()
    assert (answer["status"], answer["prediction"], answer["label"]) == ("ok", 0, "class_0")
    assert (answer["cultivar"], answer["version"], answer["out_of_range"]) == ("Barolo", "1.0.0", [])
    assert sum(answer["probabilities"].values()) == pytest.approx(1)


async def test_multipart_is_a_form_too(client: Client) -> None:
    form = aiohttp.FormData({name: str(value) for name, value in WINE.items()}, default_to_multipart=True)
    assert (await client.post("/predict", data=form)).status == 200


async def test_a_file_is_no_number(client: Client) -> None:
    form = aiohttp.FormData()
    form.add_field("request", b"1", filename="wine.csv")
    assert await errors(await client.post("/predict", data=form)) == [("request", "not_thirteen", "#/request")]


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that cannot be folded."""
    path = tmp_path_factory.mktemp("other") / "other.pkl"
    estimator = make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=1000)).fit(WINES.data, WINES.target)
    training.save(estimator, path, WINES.data, version="other", scores={})
    return path


@pytest.mark.parametrize("engine", ["folded", "estimator"])
async def test_all_wines_of_the_data_set_get_the_estimators_answer(
    aiohttp_client: AiohttpClient, other_model: Path, engine: str
) -> None:
    path = SHIPPED if engine == "folded" else other_model
    client = await aiohttp_client(create_app(ServerSettings(model=path)))
    assert (await (await client.get("/health")).json())["model"]["engine"] == engine
    wines = [dict(zip(NAMES, row, strict=True)) for row in WINES.data.tolist()]
    together = await (await client.post("/predict", json=wines)).json()
    one_by_one = [await (await client.post("/predict", json=wine)).json() for wine in wines]
    estimator = joblib.load(path)
    assert [each["prediction"] for each in together] == estimator.predict(WINES.data).tolist()
    for answers in (together, one_by_one):
        probabilities = [list(each["probabilities"].values()) for each in answers]
        np.testing.assert_allclose(probabilities, estimator.predict_proba(WINES.data), rtol=0, atol=1e-9)


async def test_requests_that_wait_together_are_one_call_of_the_estimator_and_each_gets_its_own_answer(
    aiohttp_client: AiohttpClient, other_model: Path
) -> None:
    client = await aiohttp_client(create_app(ServerSettings(model=other_model)))
    wines = [dict(zip(NAMES, row, strict=True)) for row in WINES.data[::12].tolist()]
    responses = await asyncio.gather(*(client.post("/predict", json=wine) for wine in wines))
    labels = [(await response.json())["prediction"] for response in responses]
    assert labels == joblib.load(other_model).predict(WINES.data[::12]).tolist()
    seen = await metrics(client)
    assert seen["model_batch_size_sum"] == len(wines)
    assert seen["model_batch_size_count"] < len(wines)


async def test_an_estimator_that_leaves_a_wine_out_gives_no_answer_rather_than_half_of_one() -> None:
    shipped = model_file.load(SHIPPED)
    forgetful = replace(shipped, engine=Engine.ESTIMATOR, classify=lambda samples: shipped.classify(samples[1:]))
    instruments = ServerInstruments({}, perf_counter)
    instruments.introduce(forgetful)
    with pytest.raises(ValueError, match="shorter"):
        await Predictor(forgetful, instruments, AfterAnswers()).predict([WineSample(tuple(VALUES))] * 2)


async def test_what_is_out_of_range_is_answered_flagged_and_counted(client: Client) -> None:
    answer = await (await client.post("/predict", json=WINE | {"alcohol": 20, "proline": 1})).json()
    assert answer["out_of_range"] == ["alcohol", "proline"]
    seen = await metrics(client)
    assert seen['feature_out_of_range_total{feature="alcohol"}'] == 1
    assert seen['feature_out_of_range_total{feature="hue"}'] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param('"alcohol": true', "not_a_number", id="true"),
        pytest.param('"alcohol": "13.2"', "not_a_number", id="a string"),
        pytest.param('"alcohol": null', "not_a_number", id="null"),
        pytest.param('"alcohol": {}', "not_a_number", id="an object"),
        pytest.param('"alcohol": NaN', "not_finite", id="NaN"),
        pytest.param('"alcohol": -Infinity', "not_finite", id="infinity"),
        pytest.param('"alcohol": 1e999', "not_finite", id="what overflows"),
        pytest.param('"alcohol": 1' + "0" * 5000, "not_finite", id="a very long number"),
        pytest.param('"alcohol": 1e10', "too_large", id="what no wine has"),
        pytest.param('"alcohol": 1, "alcohol": 1', "duplicate", id="twice"),
        pytest.param('"alcoh\\u006fl": 1, "alcohol": 1', "duplicate", id="twice, once in disguise"),
    ],
)
async def test_a_json_field_that_is_wrong_is_named_with_its_code(client: Client, change: str, code: str) -> None:
    body = json.dumps({name: value for name, value in WINE.items() if name != "alcohol"})
    response = await client.post("/predict", data=f"{{{change}, {body[1:]}", headers=JSON)
    assert await errors(response) == [("alcohol", code, "#/alcohol")]


async def test_missing_and_unknown_fields_are_reported_together(client: Client) -> None:
    wine = {name: value for name, value in WINE.items() if "/" not in name} | {"a/b~": 1, "\ud800": 2, "x" * 500: 3}
    response = await client.post("/predict", data=json.dumps(wine), headers=JSON)
    assert await errors(response) == [
        ("od280/od315_of_diluted_wines", "missing", "#/od280~1od315_of_diluted_wines"),
        ("a/b~", "unknown", "#/a~1b~0"),
        ("\\ud800", "unknown", "#/\\ud800"),
        ("x" * 80, "unknown", "#/" + "x" * 80),
    ]


async def test_an_array_says_which_wine_is_wrong(client: Client) -> None:
    response = await client.post("/predict", json=[WINE, WINE | {"hue": "x"}, {}])
    found = await errors(response)
    assert found[0] == ("hue", "not_a_number", "#/1/hue")
    assert [pointer for *_, pointer in found[1:]] == [f"#/2/{name.replace('/', '~1')}" for name in NAMES]


async def test_many_mistakes_are_counted_and_the_first_hundred_reported(client: Client) -> None:
    response = await client.post("/predict", json=[{}] * 1000)
    assert len(await errors(response)) == 100
    assert (await response.json())["detail"] == "13000 fields are wrong; the first 100 are listed"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half an object"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="deeper than anyone needs"),
    ],
)
async def test_what_is_not_json_is_400(client: Client, body: bytes) -> None:
    assert await errors(await client.post("/predict", data=body, headers=JSON), 400) == []


@pytest.mark.parametrize("body", ["1", '"x"', "null", "[]", "[1]", "[[]]"])
async def test_json_that_holds_no_wine_is_422(client: Client, body: str) -> None:
    assert await errors(await client.post("/predict", data=body, headers=JSON)) == []


async def test_a_thousand_wines_are_answered_in_order_and_one_more_is_413(client: Client) -> None:
    wines = [WINE | {"alcohol": 11 + place / 500} for place in range(1000)]
    answers = await (await client.post("/predict", json=wines)).json()
    alone = await (await client.post("/predict", json=wines[999])).json()
    assert len(answers) == 1000
    assert answers[999] == alone
    assert await errors(await client.post("/predict", json=[*wines, WINE]), 413) == []


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_more_than_a_mebibyte_is_413(client: Client, kind: str) -> None:
    response = await client.post("/predict", data=BytesIO(b"x" * (1024 * 1024 + 1)), headers={"Content-Type": kind})
    assert await errors(response, 413) == []


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x-gzip", "compress", "identity, gzip", "klingon"])
async def test_a_packed_body_is_415_and_never_unpacked(client: Client, coding: str) -> None:
    body = gzip.compress(b" " * 50_000_000)
    response = await client.post("/predict", data=body, headers=JSON | {"Content-Encoding": coding})
    assert await errors(response, 415) == []
    assert response.headers["Accept-Encoding"] == "identity"


async def test_a_body_that_says_that_it_is_not_packed_is_read(client: Client) -> None:
    body = json.dumps(WINE).encode()
    response = await client.post("/predict", data=body, headers=JSON | {"Content-Encoding": "Identity"})
    assert response.status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "image/png"])
async def test_another_type_is_415_and_the_answer_says_which_are_read(client: Client, kind: str) -> None:
    response = await client.post("/predict", data=b"x", headers={"Content-Type": kind})
    assert await errors(response, 415) == []
    assert "application/json" in response.headers["Accept-Post"]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        pytest.param([("alcohol", "1,060")], ("alcohol", "decimal_comma"), id="a comma that may part thousands"),
        pytest.param([("alcohol", "-13.2")], ("alcohol", "negative"), id="less than nothing"),
        pytest.param([("alcohol", "-13,2")], ("alcohol", "negative"), id="less than nothing, with a comma"),
        pytest.param([("alcohol", "")], ("alcohol", "missing"), id="an empty field"),
        pytest.param([("alcohol", "1"), ("alcohol", "1")], ("alcohol", "duplicate"), id="a field twice"),
        pytest.param([("alcohol", "1"), ("request", ROW)], ("request", "unknown"), id="fields and a row"),
    ],
)
async def test_a_forms_field_that_is_wrong_is_named(
    client: Client, fields: list[tuple[str, str]], found: tuple[str, str]
) -> None:
    rest = [(name, str(value)) for name, value in WINE.items() if name != "alcohol"]
    entries = await errors(await client.post("/predict", data=[*fields, *rest]))
    assert [entry[:2] for entry in entries] == [found]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("application/x-www-form-urlencoded; charset=klingon", b"request=1", id="an unknown charset"),
        pytest.param("application/x-www-form-urlencoded", b"request=\xff", id="no UTF-8"),
        pytest.param("multipart/form-data", b"x", id="no boundary"),
        pytest.param("multipart/form-data; boundary=x", b"junk", id="another boundary"),
        pytest.param("multipart/form-data; boundary=x", b"--x\r\n\r\njunk", id="no end"),
        pytest.param("application/x-www-form-urlencoded; charset=punycode", b"a-" + b"b" * 200_000, id="punycode"),
        pytest.param("application/x-www-form-urlencoded", b"_charset_=klingon&request=1", id="the field _charset_"),
    ],
)
async def test_a_form_that_cannot_be_read_is_the_clients_mistake(client: Client, kind: str, body: bytes) -> None:
    response = await client.post("/predict", data=body, headers={"Content-Type": kind})
    assert response.status in {400, 415, 422}
    assert response.content_type == "application/problem+json"


async def test_a_browser_gets_a_page_and_an_api_client_json(client: Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = await client.post("/predict", data={"request": ROW}, headers=browser)
    assert (page.status, page.content_type) == (200, "text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert (await client.post("/predict", data={"request": ROW})).content_type == "application/json"
    assert (await client.post("/predict", json=WINE, headers=browser)).content_type == "application/json"


async def test_a_requests_own_id_comes_back_unless_it_could_forge_a_log_line(client: Client) -> None:
    assert (await client.get("/health", headers={"X-Request-ID": "a-1"})).headers["X-Request-ID"] == "a-1"
    for given in ("a b", "x" * 65, "é", ""):
        assert (await client.get("/health", headers={"X-Request-ID": given})).headers["X-Request-ID"] != given


async def test_a_method_that_is_not_allowed_says_which_are(client: Client) -> None:
    response = await client.get("/predict")
    assert await errors(response, 405) == []
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "path",
    ["/web/..%2fapp.py", "/web/%2e%2e/app.py", "/web/form.html", "/web/nothing.css", "/web/..%2fweb%2fstyle.css"],
)
async def test_only_the_pages_own_files_are_given_out(client: Client, path: str) -> None:
    assert (await client.get(f"/web/{path}")).status == 404
