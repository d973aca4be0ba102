"""Has charts drawn, each in a process of its own: one at a time, and killed where it takes too long."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import msgspec

from wine_slo.config.files.scratch_folder import scratch_folder
from wine_slo.slo.reason import ReasonedError
from wine_slo.slo.views.chart_spec import Chart

TIME_BOX = 10.0  # seconds; drawing takes one
WAITING = 8  # charts that may wait for their turn; whoever comes then is refused
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}  # all of it: nothing of ours is a secret there
PNG = b"\x89PNG\r\n\x1a\n"


class DrawingError(ReasonedError):
    """There is no picture."""


class ChartProcess:
    """Draws charts. Used as a context: what drawing keeps between two charts is gone after it.

    Args:
        command: What is run; it reads a chart as JSON and writes it as PNG.
        time_box: Seconds for one chart.
    """

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-m", "wine_slo.integrations.drawing.renderer"),
        time_box: float = TIME_BOX,
    ) -> None:
        self._command = command
        self._time_box = time_box
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0
        self._folder: Path | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._folder = self._stack.enter_context(scratch_folder("chart"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def draw(self, chart: Chart) -> bytes:
        """Return a chart as PNG.

        Raises:
            DrawingError: It took too long, or it crashed, or too many wait already.
        """
        if self._waiting >= WAITING:
            raise DrawingError("too many charts requested at once")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._run(msgspec.json.encode(chart))
        finally:
            self._waiting -= 1

    async def _run(self, chart: bytes) -> bytes:
        pipe = asyncio.subprocess.PIPE
        folder = (self._folder,) if self._folder else ()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, *folder, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT
            )
        except OSError as error:
            raise DrawingError("drawing cannot be started ({error})", error=error.strerror or str(error)) from error
        try:
            async with asyncio.timeout(self._time_box):
                png, said = await process.communicate(chart)
        except TimeoutError as error:
            raise DrawingError("drawing took longer than {seconds} s", seconds=f"{self._time_box:g}") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode or not png.startswith(PNG):
            last = said.decode(errors="replace").strip().rpartition("\n")[2] or f"status {process.returncode}"
            raise DrawingError("drawing crashed ({error})", error=last[:200])
        return png
