"""The API's contract as OpenAPI 3.1, and a page to read it and try it. The tests hold the server to it."""

from pathlib import Path
from typing import Any

import msgspec

from wine_slo.http.pages import template
from wine_slo.service.limits import LONGEST_SLEEP, MOST_SAMPLES, USUAL_SLEEP
from wine_slo.service.model.features import FEATURES, LIMIT, NAMES, ROW, FieldMistake
from wine_slo.service.predictor import Prediction
from wine_slo.service.responses import Health

PAGE = template(Path(__file__).parent / "templates", "docs.html")
TYPICAL = (14.1, 2.02, 2.4, 18.8, 103.0, 2.75, 2.92, 0.32, 2.38, 6.2, 1.07, 2.75, 1060.0)  # a Barolo
EXAMPLE = dict(zip(NAMES, TYPICAL, strict=True))


def schema(name: str) -> dict[str, str]:
    """Return a reference to a schema of the contract."""
    return {"$ref": f"#/components/schemas/{name}"}


def answer(description: str, content: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a documented answer; all have the request's id."""
    headers = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    return {"description": description, "headers": headers, **({"content": content} if content else {}), **more}


def problem(description: str) -> dict[str, Any]:
    """Return a documented error."""
    return answer(description, {"application/problem+json": {"schema": schema("Problem")}})


def page(description: str) -> dict[str, Any]:
    """Return a documented page."""
    return answer(description, {"text/html": {"schema": {"type": "string"}}})


LANGUAGE = {
    "name": "lang",
    "in": "query",
    "description": "Of the page; the first of Accept-Language where it is not given.",
    "schema": {"type": "string", "examples": ["en", "ru"]},
}
NUMBER = r"\s*[+-]?([0-9]{1,9}(\.[0-9]*)?|\.[0-9]+)([eE]-[0-9]{1,2})?\s*"
NOT_NEGATIVE = NUMBER.replace("[+-]?", r"\+?")
WITH_COMMA = r"\s*\+?[0-9]{1,9},([0-9]{1,2}|[0-9]{4,9})\s*"  # three digits behind it may be thousands
TEXT_NUMBER = {"type": "string", "pattern": f"^({NOT_NEGATIVE}|{WITH_COMMA})$"}
TEXT_ROW = {
    "type": "string",
    "description": "13 numbers separated by commas.",
    "pattern": f"^{NUMBER}(,{NUMBER}){{12}}$",
    "examples": [",".join(map(str, TYPICAL))],
}
FORM = {
    "oneOf": [
        {
            "type": "object",
            "properties": dict.fromkeys(NAMES, TEXT_NUMBER),
            "required": list(NAMES),
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {ROW: TEXT_ROW},
            "required": [ROW],
            "additionalProperties": False,
        },
    ]
}
SCHEMAS: dict[str, Any] = {
    "Wine": {
        "type": "object",
        "description": "Thirteen measurements.",
        "properties": {
            each.name: {"type": "number", "minimum": -LIMIT, "maximum": LIMIT, "description": each.unit or "a ratio"}
            for each in FEATURES
        },
        "required": list(NAMES),
        "additionalProperties": False,
        "examples": [EXAMPLE],
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": {"const": "about:blank"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": schema("FieldError")},
            "request_id": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail", "request_id"],
        "additionalProperties": False,
    },
    "FieldError": {
        "type": "object",
        "properties": {
            "field": {"type": "string"},
            "code": {"enum": list(FieldMistake)},
            "detail": {"type": "string"},
            "pointer": {"type": "string", "description": "Where in the body, as a JSON pointer (RFC 6901)."},
        },
        "required": ["field", "code", "detail", "pointer"],
        "additionalProperties": False,
    },
}
_, ENCODED = msgspec.json.schema_components([Prediction, Health], ref_template="#/components/schemas/{name}")
SCHEMAS |= ENCODED  # of what is encoded, from the very structs
PATHS: dict[str, Any] = {
    "/predict": {
        "post": {
            "summary": f"Classify one wine, or up to {MOST_SAMPLES:,}",
            "description": "A browser that accepts text/html and sends a form is answered with a page.",
            "operationId": "predict",
            "parameters": [LANGUAGE],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "oneOf": [
                                schema("Wine"),
                                {"type": "array", "items": schema("Wine"), "minItems": 1, "maxItems": MOST_SAMPLES},
                            ]
                        },
                        "example": EXAMPLE,
                    },
                    "application/x-www-form-urlencoded": {"schema": FORM},
                    "multipart/form-data": {"schema": FORM},
                },
            },
            "responses": {
                "200": answer(
                    "The answer; an array for an array, in its order.",
                    {
                        "application/json": {
                            "schema": {
                                "oneOf": [schema("Prediction"), {"type": "array", "items": schema("Prediction")}]
                            }
                        },
                        "text/html": {"schema": {"type": "string"}},
                    },
                ),
                "400": problem("The body cannot be read."),
                "408": problem("It did not come in time."),
                "413": problem("It is larger than 1 MiB (a URL-encoded form: 64 KiB), or holds more than 1,000 wines."),
                "415": problem("It is of a type that is not listed here, packed, or in a charset that is not read."),
                "422": answer(
                    "Fields are missing, unknown, given twice, no finite numbers, or below 0 in a form; an entry each.",
                    {
                        "application/problem+json": {"schema": schema("Problem")},
                        "text/html": {"schema": {"type": "string"}},
                    },
                ),
                "503": problem("There is no model (/health gives the reason), or too many bodies are being read."),
            },
        }
    },
    "/health": {
        "get": {
            "summary": "Whether wines can be classified, and by what",
            "operationId": "health",
            "responses": {
                "200": answer("They can.", {"application/json": {"schema": schema("Health")}}),
                "503": answer("They cannot.", {"application/json": {"schema": schema("Health")}}),
            },
        }
    },
    "/metrics": {
        "get": {
            "summary": "Metrics for Prometheus",
            "operationId": "metrics",
            "responses": {
                "200": answer(
                    "The Prometheus text format, or OpenMetrics where Accept prefers it.",
                    {
                        "text/plain": {"schema": {"type": "string"}},
                        "application/openmetrics-text": {"schema": {"type": "string"}},
                    },
                )
            },
        }
    },
    "/ui": {
        "get": {
            "summary": "The form",
            "operationId": "form",
            "parameters": [
                LANGUAGE,
                {
                    "name": "example",
                    "in": "query",
                    "description": "Fills in a typical wine of this grape.",
                    "schema": {"type": "string", "examples": ["Barolo"]},
                },
            ],
            "responses": {"200": page("The form."), "503": problem("There is no model.")},
        }
    },
}
FAULTS: dict[str, Any] = {
    "/sleep": {
        "get": {
            "summary": "Answer after a while, to exercise the latency objective",
            "operationId": "sleep",
            "parameters": [
                {
                    "name": "seconds",
                    "in": "query",
                    "schema": {
                        "type": "number",
                        "minimum": 0,
                        "maximum": int(LONGEST_SLEEP),
                        "default": int(USUAL_SLEEP),
                    },
                },
                {
                    "name": "drill",
                    "in": "query",
                    "description": "Counts the request at the endpoint `/sleep?drill`; any value does.",
                    "schema": {"type": "string"},
                },
            ],
            "responses": {
                "200": answer(
                    "It has been that long.",
                    {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"status": {"const": "ok"}, "slept_seconds": {"type": "number"}},
                                "required": ["status", "slept_seconds"],
                                "additionalProperties": False,
                            }
                        }
                    },
                ),
                "403": problem("The request comes from another site."),
                "422": problem(f"That is no time from 0 to {LONGEST_SLEEP:g} seconds."),
                "429": problem("Too many requests of this client are asleep."),
            },
        }
    },
    "/fail": {
        "get": {
            "summary": "Answer with a 5xx, to exercise the error objective",
            "operationId": "fail",
            "parameters": [
                {
                    "name": "status",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 500, "maximum": 599, "default": 500},
                }
            ],
            "responses": {
                "5XX": problem("As requested."),
                "403": problem("The request comes from another site."),
                "422": problem("That is no status from 500 to 599."),
                "429": problem("Too many requests of this client have failed within a second."),
            },
        }
    },
}


def contract(version: str, *, has_fault_endpoints: bool) -> dict[str, Any]:
    """Return the OpenAPI document.

    Args:
        version: the service's.
        has_fault_endpoints: whether /sleep and /fail are switched on.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "wine-slo",
            "version": version,
            "description": "Predicts from thirteen laboratory measurements which of three grapes a wine was made from.",
        },
        "paths": PATHS | (FAULTS if has_fault_endpoints else {}),
        "components": {
            "schemas": SCHEMAS,
            "headers": {
                "X-Request-ID": {
                    "description": "The request's own (up to 64 of A-Z a-z 0-9 . _ -), or a new one.",
                    "schema": {"type": "string"},
                }
            },
        },
    }


def render(document: dict[str, Any]) -> str:
    """Return the contract as a page."""
    example = ",\n".join(f'  "{name}": {value:g}' for name, value in EXAMPLE.items())
    return PAGE.render(document=document, example=f"{{\n{example}\n}}")
