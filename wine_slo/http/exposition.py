"""How `/metrics` is answered: one rendering for all who wait for it, and none that is older than its request.

A rendering costs some milliseconds, in which nobody else is answered. It begins at once where there was none lately, as
it is for each scrape of a Prometheus. Else it begins a while after the last one, and whoever has requested it meanwhile
gets the same text. Nobody ever gets a text whose rendering began before the request came in, so all values are exact.
"""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from functools import cached_property
from time import thread_time

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from wine_slo.http.shares import Turns

PAUSE = 0.1  # seconds between two renderings, at least; a scrape waits for so long where others scrape without end
SHARE = 0.1  # of the process's time that renderings take, at most
OPEN_METRICS = "application/openmetrics-text"
PACKED_HERE = 2**16  # bytes; a larger text is packed in a thread, so that it does not hold up the event loop
QUICK = 1  # the level of gzip; others take three times as long for a tenth less


class Text:
    """What all metrics are at one moment, and the same packed, which happens at most once."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    @cached_property
    def packed(self) -> bytes:
        """Return the same as gzip."""
        return gzip.compress(self.content, QUICK)


class Exposition:
    """Answers scrapes of a registry.

    Args:
        registry: whose metrics.
        samples: returns the lines of gauges that the registry only describes, by their names; many thousands of them
            are written in a fraction of the time and the memory that a registry needs.
    """

    def __init__(self, registry: CollectorRegistry, samples: Callable[[], Mapping[str, bytes]] = dict) -> None:
        self._registry = registry
        self._samples = samples
        self._next: dict[str, asyncio.Future[Text]] = {}  # by what is accepted, while somebody waits
        self._rests_until = 0.0  # on the loop's clock
        self._turns = Turns()

    async def answer(self, request: web.Request) -> web.Response:
        """Return all metrics as they are once the request has come in, as OpenMetrics where that is accepted."""
        accepted = OPEN_METRICS if OPEN_METRICS in request.headers.get("Accept", "") else ""
        encode, content_type = choose_encoder(accepted)
        if accepted not in self._next:
            self._plan(accepted, encode)
        text = await asyncio.shield(self._next[accepted])  # others wait for it too
        await self._turns.take()
        headers = {"Content-Type": content_type}
        if "gzip" not in request.headers.get("Accept-Encoding", "").lower():
            return web.Response(body=text.content, headers=headers)
        packed = text.packed if len(text.content) <= PACKED_HERE else await asyncio.to_thread(lambda: text.packed)
        return web.Response(body=packed, headers=headers | {"Content-Encoding": "gzip"})

    def _plan(self, accepted: str, encode: Callable[[CollectorRegistry], bytes]) -> None:
        """Have a text rendered as soon as that may be."""
        loop = asyncio.get_running_loop()
        self._next[accepted] = loop.create_future()
        loop.call_at(self._rests_until, self._render, loop, accepted, encode)

    def _render(
        self, loop: asyncio.AbstractEventLoop, accepted: str, encode: Callable[[CollectorRegistry], bytes]
    ) -> None:
        waited_for, began = self._next.pop(accepted), thread_time()
        try:
            waited_for.set_result(Text(_with_samples(encode(self._registry), self._samples())))
        except Exception as error:  # noqa: BLE001  # whatever a metric raises, someone waits for an answer
            waited_for.set_exception(error)
        self._rests_until = loop.time() + max(PAUSE, (thread_time() - began) / SHARE)


def _with_samples(text: bytes, samples: Mapping[str, bytes]) -> bytes:
    """Return a text with the samples of gauges after what describes them."""
    parts, begin = [], 0
    for name, lines in samples.items():
        described = f"# TYPE {name} gauge\n".encode()
        end = text.index(described, begin) + len(described)
        parts += [text[begin:end], lines]
        begin = end
    return b"".join([*parts, text[begin:]])
