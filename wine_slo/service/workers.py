"""How the service runs: in this process, or in several worker processes that share the port and one set of counts."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from time import perf_counter, sleep
from typing import NoReturn

from aiohttp import web
from msgspec.structs import replace

from wine_slo.config import log_setup
from wine_slo.http.guarded_server import Door, Runner
from wine_slo.service.app import LONGEST_SLEEP, create_app
from wine_slo.service.keys import INSTRUMENTS, PATIENCE, SETTINGS
from wine_slo.service.metrics.instruments import Cells
from wine_slo.service.responses import UNMATCHED, refused
from wine_slo.service.settings import ServerSettings

SHUTDOWN_TIMEOUT = LONGEST_SLEEP + 2  # seconds in which open requests may end
BACKLOG = 1024  # connections that wait to be accepted
LOG_WAIT = 0.2  # seconds; nobody reads faster, and one write for many requests is a tenth of the cost
WORKER_PAUSE = 1.0  # seconds before a worker is replaced that ended sooner than that after its start
FORK = multiprocessing.get_context("fork")  # workers share the memory of what is imported

log = logging.getLogger("wine_slo.server")


class Lifeline:
    """A pipe that ends when the parent process does, however that ends; its children see it."""

    def __init__(self) -> None:
        self.end_of_child, self._end_of_parent = os.pipe()

    def hold_as_child(self) -> None:
        """Close the parent's end, of which the fork has made another."""
        os.close(self._end_of_parent)


class Stop(Exception):  # noqa: N818  # no error
    """The process has received a signal to stop."""


def run(settings: ServerSettings, workers: int = 1) -> None:
    """Serve until a signal to stop; exit with 1 where the address cannot be listened on."""
    if workers > 1:
        run_workers(settings, workers)
    else:
        run_one(settings)


def run_one(
    settings: ServerSettings, cells: Cells | None = None, worker: int = 0, lifeline: Lifeline | None = None
) -> None:
    """Serve in this process, alone or as one of several workers; exit with 1 where the address is taken."""
    gc.disable()  # until imports have ended: to look for garbage among them makes scikit-learn's a tenth longer
    if lifeline:
        lifeline.hold_as_child()
    log_setup.configure(settings.log_format, wait=LOG_WAIT)
    app = create_app(settings, cells, worker)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(app, f" as worker {worker}" if lifeline else "", lifeline))
    except OSError as error:
        exit_without_address(settings, error)


async def serve(app: web.Application, name: str = "", lifeline: Lifeline | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent process has ended; then let open requests end.

    Args:
        app: what is served.
        name: which of the workers this is, for the log.
        lifeline: to the parent of several workers, which share the port; None where there is only this process.

    Raises:
        OSError: the address cannot be listened on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if lifeline:
        loop.add_reader(lifeline.end_of_child, stop.set)  # readable at its end, and nothing is ever written
    settings = app[SETTINGS]
    runner = runner_of(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG, reuse_port=lifeline is not None)
        await site.start()
        host, bound = runner.addresses[0][:2]
        log.info("listening on http://%s:%s%s", host, bound, name)
        gc.freeze()  # what is here now stays; no collection need examine it again
        gc.enable()
        await stop.wait()
        if lifeline:
            loop.remove_reader(lifeline.end_of_child)  # else it would be called for as long as the rest takes
        log.info("stopping")
    finally:
        await runner.cleanup()


def runner_of(app: web.Application, most_connections: int | None = None) -> web.AppRunner:
    """Return what serves the application, with the application's patience."""
    return Runner(
        app,
        Door.at(app[SETTINGS].host, app[SETTINGS].allowed_hosts),
        app[PATIENCE],
        refuse=refused(app[INSTRUMENTS].endpoint(UNMATCHED)),
        shutdown_timeout=SHUTDOWN_TIMEOUT,
        gives_up=True,
        most_connections=most_connections,
    )


def run_workers(settings: ServerSettings, workers: int) -> None:
    """Serve in several processes, forked from this one; one that ends by itself is replaced."""
    log_setup.configure(settings.log_format)
    start = partial(start_worker, replace(settings, port=free_port(settings)), Cells(workers), Lifeline())
    started = [(start(worker), perf_counter()) for worker in range(workers)]
    with suppress(Stop):
        signal.signal(signal.SIGTERM, raise_stop)
        signal.signal(signal.SIGINT, raise_stop)
        while True:
            wait([process.sentinel for process, _ in started])
            for worker, (process, at) in enumerate(started):
                if not process.is_alive():
                    log.error("worker %s ended with %s; another takes its place", worker, process.exitcode)
                    if perf_counter() - at < WORKER_PAUSE:
                        sleep(WORKER_PAUSE)  # it cannot even start; to try without a pause would keep a processor busy
                    started[worker] = (start(worker), perf_counter())
    for process, _ in started:
        process.terminate()
    for process, _ in started:
        process.join()


def free_port(settings: ServerSettings) -> int:
    """Return the port for all workers; exit with 1 where it is taken.

    Workers share a port, so they would not notice that another server has it.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.create_server((settings.host, settings.port), family=family) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        exit_without_address(settings, error)


def raise_stop(*_: object) -> None:
    """Leave whatever the process is doing."""
    raise Stop


def start_worker(settings: ServerSettings, cells: Cells, lifeline: Lifeline, worker: int) -> ForkProcess:
    """Return a process that serves."""
    arguments = (settings, cells, worker, lifeline)
    process = FORK.Process(target=run_one, args=arguments, name=f"worker {worker}", daemon=True)
    process.start()
    log.info("worker %s is process %s", worker, process.pid)
    return process


def exit_without_address(settings: ServerSettings, error: OSError) -> NoReturn:
    """Log why the address cannot be listened on, and exit with 1."""
    reason = os.strerror(error.errno) if error.errno else error
    log.error("cannot listen on %s:%s: %s", settings.host, settings.port, reason)
    sys.exit(1)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's, which is a tenth faster, or the usual one where it is not installed."""
    try:
        import uvloop  # noqa: PLC0415  # no Windows has it
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
