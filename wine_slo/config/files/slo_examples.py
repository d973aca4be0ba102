"""What the JSON schema of `slo.yml` says beyond types: limits, and examples for editors, which a test holds right."""

from typing import Any

ERRORS = 'http_requests_total{code=~"5.."}'
FIELDS: dict[str, list[Any]] = {
    "alert": ["page", "ticket"],
    "bad": [ERRORS, [ERRORS, 'http_requests_total{code="429"}']],
    "bad_for": ["25s", "45s", "3m"],
    "blind_for": ["2m"],
    "breakdown": [["handler", "instance", "version"]],
    "budget": [0.02, 0.1],
    "budget_selector": ['endpoint!="/drill"'],
    "burns": [[{"budget": 0.02, "long": "1h", "short": "5m", "alert": "page"}], []],
    "by": [["handler"], ["cluster", "namespace"]],
    "clear": ["250ms"],
    "deployments": [[{"selector": "shop_build_info", "label": "version"}], []],
    "drill": [
        {"url": "http://shop:8000/sleep?seconds=2"},
        {"start": "systemctl stop shop", "stop": "systemctl start shop"},
    ],
    "expires_after": ["30m"],
    "good": ['http_requests_total{code!~"5.."}'],
    "good_for": ["20s", "30s", "2m"],
    "histogram": ["http_request_duration_seconds"],
    "include": [["teams/*.yml"]],
    "job": ["api", ["api-eu", "api-us"]],
    "label": ["version"],
    "least": [5],
    "long": ["1h"],
    "name": ["latency"],
    "native": [True],
    "objective": [0.95, 0.999],
    "objectives": [[{"name": "availability", "kind": "up", "objective": 0.995}]],
    "oldest_age": ["oldest_request_age_seconds"],
    "over": ["5m"],
    "parallel": [5],
    "remind_after": ["4h"],
    "runbook": ["https://wiki.example.com/runbooks/latency"],
    "scrape_interval": ["15s", "1m"],
    "selector": ['code!~"4..", handler="/checkout"'],
    "short": ["5m"],
    "start": ["systemctl stop shop"],
    "stop": ["systemctl start shop"],
    "success_selector": ['code!~"5.."'],
    "target_down": ["off"],
    "threshold": ["500ms", "2.5ms", "250us", "1.5s"],
    "time_zone": ["UTC", "Europe/Berlin"],
    "title": ["Checkout is fast"],
    "total": ["http_requests_total", ["grpc_server_handled_total", "http_requests_total"]],
    "unit": ["ms"],
    "up": ['up{job=~"api-.*", cluster="eu"}', "none"],
    "url": ["http://shop:8000/sleep?seconds=2"],
    "window": ["30d", "7d", "month"],
}
FIELDS_OF: dict[str, dict[str, list[Any]]] = {  # where a name is that of another thing
    "gauge": {"good": ['probe_success{job="blackbox"} == 1', "time() - last_success_timestamp_seconds < 1h"]},
    "drill": {"objective": ["latency"]},
    "deployment": {"selector": ["shop_build_info", 'build_info{job="shop"}']},
}
OTHERS = {"url": "drill", "label": "deployment"}  # what is no objective, by a field that only it has
KINDS: dict[str, dict[str, Any]] = {
    "latency": {
        "name": "latency",
        "kind": "latency",
        "objective": 0.95,
        "threshold": "500ms",
        "histogram": "http_request_duration_seconds",
        "selector": 'handler!="/metrics"',
    },
    "ratio": {"name": "errors", "kind": "ratio", "objective": 0.99, "bad": ERRORS, "total": "http_requests_total"},
    "gauge": {"name": "probes", "kind": "gauge", "objective": 0.99, "good": "probe_success == 1"},
    "up": {"name": "availability", "kind": "up", "objective": 0.995, "window": "month"},
}


def completed(schema: dict[str, Any], own_keys: str) -> dict[str, Any]:
    """Return the schema with examples of all fields and kinds, and with what no type of a single field says.

    Args:
        schema: As the types have it.
        own_keys: How the keys of the file begin that are its writer's own.
    """
    file = schema["$defs"]["SloFileEntry"]
    file["patternProperties"] = {f"^{own_keys}": {"description": "The writer's own, such as what anchors name"}}
    file["anyOf"] = [{"required": ["objectives"]}, {"required": ["include"]}]
    for each in schema["$defs"].values():
        other = next((kind for field, kind in OTHERS.items() if field in each["properties"]), "")
        (kind,) = each["properties"].get("kind", {}).get("enum", [other])
        if kind in KINDS:
            each["examples"] = [KINDS[kind]]
        for name, field in each["properties"].items():
            if name != "kind":
                field["examples"] = FIELDS_OF.get(kind, {}).get(name, FIELDS.get(name, []))
            if name == "objective" and "type" in field:
                field["exclusiveMinimum"], field["exclusiveMaximum"] = 0, 1
    return schema
