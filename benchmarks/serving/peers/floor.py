"""The floor: aiohttp and uvloop with a constant answer. Nothing on aiohttp can be faster."""

import asyncio
import sys

import uvloop
from aiohttp import web

ANSWER = (
    b'{"status":"ok","prediction":0,"label":"class_0","cultivar":"Barolo","probabilities":{"class_0":0.9927821749038338,'
    b'"class_1":0.0055326261763545,"class_2":0.0016851989198118592},"out_of_range":[],"version":"1.0.0"}'
)


async def predict(_: web.Request) -> web.Response:
    """Answer without reading."""
    return web.Response(body=ANSWER, content_type="application/json")


async def serve(port: int) -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/predict", predict)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


uvloop.run(serve(int(sys.argv[1])))
