import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from tests.integration.service.conftest import SHIPPED, Client, OwnServer
from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings
from wine_slo.service.web import openapi

EXAMPLES = int(40 * float(os.environ.get("WINE_SLO_SOAK", "1")) ** 2)
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


async def test_no_request_that_schemathesis_thinks_of_gets_a_5xx_or_an_undocumented_answer(tmp_path: Path) -> None:
    server = OwnServer(create_app(ServerSettings(model=SHIPPED)))
    await server.start_server()
    process = await asyncio.create_subprocess_exec(
        *(SCHEMATHESIS, "run", str(server.make_url("/openapi.json"))),
        *("--exclude-path-regex", "^/(fail|sleep)"),  # one fails on request, the other takes its time
        *("--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    await server.close()
    assert process.returncode == 0, said.decode()


@pytest.mark.parametrize("is_enabled", [True, False])
async def test_every_route_is_in_the_contract_or_one_of_the_pages(
    aiohttp_client: AiohttpClient, *, is_enabled: bool
) -> None:
    app = create_app(ServerSettings(model=SHIPPED, sleep_enabled=is_enabled))
    client = await aiohttp_client(app)
    documented = set((await (await client.get("/openapi.json")).json())["paths"])
    routes = {resource.canonical for resource in app.router.resources()}
    assert routes - documented == {"/", "/docs", "/openapi.json", "/web/{file}", "/{path}"}
    assert documented <= routes
    assert ("/sleep" in documented) is is_enabled


@pytest.mark.parametrize(
    ("path", "status"),
    [("/sleep?seconds=0", 200), ("/sleep?seconds=11", 422), ("/fail?status=503", 503), ("/fail?status=200", 422)],
)
async def test_the_exercises_answer_as_the_contract_says(client: Client, path: str, status: int) -> None:
    contract = openapi.contract("1", has_fault_endpoints=True)
    documented: dict[str, Any] = contract["paths"][path.partition("?")[0]]["get"]["responses"]
    response = await client.get(path)
    assert response.status == status
    described = documented.get(str(status)) or documented["5XX"]
    assert response.content_type in described["content"]
