"""The verbs that look and try: each reads the settings, does its thing, prints, and returns an exit status.

What a person reads goes to standard output; what is wrong before anything could be done, to standard error. With
`--json` standard output holds one JSON document and nothing else.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import aiohttp
import msgspec

from wine_slo import slo_file
from wine_slo.adapters.prometheus_api import PrometheusApi
from wine_slo.check import check as look
from wine_slo.domain.objective import Objectives
from wine_slo.settings import SettingsError, WatchdogSettings, read

VERSION = version("wine-slo")
BAD_CONFIGURATION = 2


def check(name: str | None, *, as_json: bool) -> int:
    """Look once, print a line for each objective, and return 0 to 4."""
    try:
        settings = read(WatchdogSettings)
        objectives = _chosen(slo_file.load(settings.objectives), name)
    except (SettingsError, slo_file.SloFileError) as error:
        return _refuse(error, as_json=as_json)

    async def ask() -> int:
        async with _prometheus(settings) as api:
            report = await look(api, objectives, _now, VERSION)
        if as_json:
            _print_json(report)
        else:
            _print("\n".join(each.line for each in report.objectives))
        return report.exit_status

    return asyncio.run(ask())


def _chosen(objectives: Objectives, name: str | None) -> Objectives:
    """All objectives, or the one of a name.

    Raises:
        SettingsError: there is none of that name.
    """
    if name is None:
        return objectives
    if name not in objectives.by_name:
        raise SettingsError(f"there is no objective {name!r}; there are {', '.join(objectives.by_name)}")
    return Objectives((objectives.by_name[name],), blind_for=objectives.blind_for)


@asynccontextmanager
async def _prometheus(settings: WatchdogSettings) -> AsyncIterator[PrometheusApi]:
    async with aiohttp.ClientSession() as session:
        yield PrometheusApi(session, settings.prometheus_url, settings.prometheus_headers)


def _now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


def _refuse(error: Exception, *, as_json: bool) -> int:
    """Say what is wrong with the configuration."""
    if as_json:
        _print_json(
            {"answer": "bad_configuration", "exit_status": BAD_CONFIGURATION, "mistakes": str(error).split("\n")}
        )
    else:
        sys.stderr.write(f"{error}\n")
    return BAD_CONFIGURATION


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _print_json(value: Any) -> None:
    _print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
