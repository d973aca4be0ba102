"""Who does not answer as a process of ours does is named in a sentence, in every language."""

from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from tests.support.fakes.loopback import Loopback, never
from wine_slo.config import translations
from wine_slo.integrations.peers import ServiceApi, WatchdogApi
from wine_slo.slo.reason import ReasonedError

RUSSIAN = translations.load()["ru"]
SOON = 0.1  # seconds
QUESTIONS: dict[str, Callable[[ServiceApi, WatchdogApi], Awaitable[object]]] = {
    "the service's health": lambda service, _: service.health(),
    "the service's sleep": lambda service, _: service.sleep(0.0),
    "the watchdog's health": lambda _, watchdog: watchdog.health(),
    "the watchdog's status": lambda _, watchdog: watchdog.status(),
}


async def hangs_up(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def says_nothing(_request: web.BaseRequest) -> web.StreamResponse:
    return await never()


@pytest.mark.parametrize("question", QUESTIONS)
async def test_who_does_not_answer_is_named_in_a_sentence(question: str) -> None:
    who, request = question[: question.index("'")], QUESTIONS[question]
    for happens, english, russian in (
        (hangs_up, "closed the connection (", "оборвал ответ ("),
        (says_nothing, "did not answer in time", "не ответил вовремя"),
        (None, "cannot be reached: is it running?", "недоступен: запущен ли он?"),
    ):
        server = Loopback(happens or says_nothing)
        await server.open()
        if happens is None:
            await server.close()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(ReasonedError) as failed:
                await request(ServiceApi(session, server.url, SOON), WatchdogApi(session, server.url, SOON))
        await server.close()
        assert str(failed.value).startswith(f"{who} at {server.url} {english}")
        assert f" {server.url} {russian}" in RUSSIAN.explain(failed.value.reason)


async def test_a_watchdog_that_wants_a_password_gets_it_or_is_named_with_the_setting() -> None:
    async def wants_one(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Authorization") != "Bearer right":
            return web.Response(status=401)
        return web.json_response({"status": "ok", "version": "1", "untold_seconds": 0, "incidents_open": 0})

    server = Loopback(wants_one)
    await server.open()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ReasonedError, match="WINE_SLO_WATCHDOG_PASSWORD"):
            await WatchdogApi(session, server.url, SOON, "wrong").status()
        assert (await WatchdogApi(session, server.url, 5.0, "right").health()).status == "ok"
    await server.close()
