"""The API's contract as OpenAPI 3.1, and a page to read it and try it. The tests hold the server to it."""

from html import escape
from pathlib import Path
from string import Template
from typing import Any

from wine_slo.service.model.features import FEATURES, LIMIT, NAMES, ROW, FieldMistake

PAGE = Template((Path(__file__).parents[2] / "web" / "docs.html").read_text())
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
    "description": "Of the page; what Accept-Language asks for where it is not given.",
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
    "Answer": {
        "type": "object",
        "properties": {
            "status": {"const": "ok"},
            "prediction": {"type": "integer", "minimum": 0, "description": "The class's number."},
            "label": {"type": "string", "examples": ["class_0"]},
            "cultivar": {"type": "string", "examples": ["Barolo"]},
            "probabilities": {
                "type": "object",
                "description": "Of each label; they add up to 1.",
                "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
            },
            "out_of_range": {
                "type": "array",
                "description": "Measurements beyond the range seen in training.",
                "items": {"enum": list(NAMES)},
            },
            "version": {"type": "string", "description": "The model's."},
        },
        "required": ["status", "prediction", "label", "cultivar", "probabilities", "out_of_range", "version"],
        "additionalProperties": False,
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
    "Health": {
        "type": "object",
        "properties": {
            "status": {"enum": ["ok", "unavailable"]},
            "reason": {"type": "string", "description": "Why it is unavailable."},
            "version": {"type": "string", "description": "The service's."},
            "uptime_seconds": {"type": "number", "minimum": 0},
            "model": {
                "type": "object",
                "properties": {
                    "version": {"type": "string"},
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                    "trained_at": {"type": "string", "format": "date-time"},
                    "sklearn": {"type": "string"},
                    "engine": {"enum": ["folded", "estimator"]},
                },
                "required": ["version", "sha256", "trained_at", "sklearn", "engine"],
                "additionalProperties": False,
            },
        },
        "required": ["status", "version", "uptime_seconds"],
        "additionalProperties": False,
    },
}
PATHS: dict[str, Any] = {
    "/predict": {
        "post": {
            "summary": "Classify one wine, or up to 1,000",
            "description": "A browser that asks for text/html and sends a form is answered with a page.",
            "operationId": "predict",
            "parameters": [LANGUAGE],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "oneOf": [
                                schema("Wine"),
                                {"type": "array", "items": schema("Wine"), "minItems": 1, "maxItems": 1000},
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
                            "schema": {"oneOf": [schema("Answer"), {"type": "array", "items": schema("Answer")}]}
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
                "503": problem("There is no model (/health says why), or too many bodies are being read."),
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
                    "The Prometheus text format, or OpenMetrics where Accept asks for it.",
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
EXERCISES: dict[str, Any] = {
    "/sleep": {
        "get": {
            "summary": "Answer after a while, to exercise the latency objective",
            "operationId": "sleep",
            "parameters": [
                {
                    "name": "seconds",
                    "in": "query",
                    "schema": {"type": "number", "minimum": 0, "maximum": 10, "default": 2},
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
                "403": problem("Another site has a browser ask for it."),
                "422": problem("That is no time from 0 to 10 seconds."),
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
                "5XX": problem("As asked for."),
                "403": problem("Another site has a browser ask for it."),
                "422": problem("That is no status from 500 to 599."),
                "429": problem("Too many requests of this client have failed within a second."),
            },
        }
    },
}


def contract(version: str, *, has_exercises: bool) -> dict[str, Any]:
    """Return the OpenAPI document.

    Args:
        version: the service's.
        has_exercises: whether /sleep and /fail are switched on.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "wine-slo",
            "version": version,
            "description": "Says from thirteen laboratory measurements which of three grapes a wine was made from.",
        },
        "paths": PATHS | (EXERCISES if has_exercises else {}),
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
    operations = "\n".join(
        f'<section class="card"><h2><code>{method.upper()} {path}</code> {escape(operation["summary"])}</h2>'
        f"{''.join(f'<p>{escape(operation[part])}</p>' for part in ('description',) if part in operation)}"
        f"{parameters(operation)}{responses(operation)}</section>"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    example = ",\n".join(f'  "{name}": {value:g}' for name, value in EXAMPLE.items())
    return PAGE.substitute(
        version=escape(document["info"]["version"]), example=f"{{\n{example}\n}}", operations=operations
    )


def parameters(operation: dict[str, Any]) -> str:
    """Return a list of an operation's parameters, with what each may be."""
    entries = "".join(
        f"<li><code>?{each['name']}=</code> {escape(each.get('description') or limits(each['schema']))}</li>"
        for each in operation.get("parameters", [])
    )
    return f"<ul>{entries}</ul>" if entries else ""


def limits(number: dict[str, Any]) -> str:
    """Return what a number may be, in words."""
    return f"{number['minimum']} to {number['maximum']}, {number['default']} when it is not given"


def responses(operation: dict[str, Any]) -> str:
    """Return a table of an operation's answers."""
    rows = "".join(
        f"<tr><th scope=row>{status}</th><td>{escape(each['description'])}</td></tr>"
        for status, each in operation["responses"].items()
    )
    return f"<table><tbody>{rows}</tbody></table>"
