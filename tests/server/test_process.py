import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from .conftest import Serve


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_0_and_what_is_being_answered_ends_first(
    serve: Serve, number: signal.Signals
) -> None:
    server = await serve()
    await server.is_up()
    async with aiohttp.ClientSession() as session:
        slow = asyncio.create_task(session.get(f"{server.url}/sleep?seconds=0.5"))
        await asyncio.sleep(0.2)
        server.tell(number)
        assert (await slow).status == 200
    assert await server.ended() == 0
    assert "Traceback" not in server.log


async def test_a_port_in_use_is_one_sentence_and_1(serve: Serve) -> None:
    first = await serve()
    await first.is_up()
    second = await serve(port=first.port)
    assert await second.ended() == 1
    assert second.log.splitlines()[-1] == f"cannot listen on 127.0.0.1:{first.port}: Address already in use"
    assert "Traceback" not in second.log


async def test_wrong_settings_are_told_and_2(serve: Serve) -> None:
    server = await serve(log_format="xml", sleep_enabled="perhaps")
    assert await server.ended() == 2
    assert server.log.splitlines() == [
        "WINE_SLO_SLEEP_ENABLED is 'perhaps'; wanted: true or false",
        "WINE_SLO_LOG_FORMAT is 'xml'; wanted: text or json",
    ]


async def test_a_damaged_model_leaves_the_process_up(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"junk")
    (tmp_path / "model.json").write_text("{}")
    server = await serve(model=str(tmp_path / "model.pkl"))
    await server.is_up()
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/health") as response:
        assert response.status == 503
    server.tell(signal.SIGTERM)
    assert await server.ended() == 0
