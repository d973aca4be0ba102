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
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from time import perf_counter, sleep
from typing import NoReturn

from aiohttp import web
from msgspec.structs import replace

from wine_slo.config import log_setup
from wine_slo.config.files.scratch_folder import scratch_folder
from wine_slo.exit_status import ExitStatus
from wine_slo.http.door import Door
from wine_slo.http.guarded_server import Runner
from wine_slo.service.app import create_app
from wine_slo.service.keys import INSTRUMENTS, PATIENCE, SETTINGS
from wine_slo.service.limits import LONGEST_SLEEP
from wine_slo.service.metrics import shared_counts
from wine_slo.service.responses import UNMATCHED, refused
from wine_slo.service.settings import ServerSettings

SHUTDOWN_TIMEOUT = LONGEST_SLEEP + 2  # seconds in which open requests may end
BACKLOG = 1024  # connections that wait to be accepted
LOG_WAIT = 0.2  # seconds; nobody reads faster, and one write for many requests is a tenth of the cost
WORKER_PAUSE = 1.0  # seconds before a worker is replaced that ended sooner than that after its start
MOST_WORKERS = 64  # a mistyped number is not to fork until the machine is full
FORK = multiprocessing.get_context("fork")  # workers share the memory of what is imported

log = logging.getLogger("wine_slo.server")


class Lifeline:
    """A pipe that ends when the parent process does, however that ends; its children see it."""

    def __init__(self) -> None:
        self.end_of_child, self._end_of_parent = os.pipe()

    def hold_as_child(self) -> None:
        """Close the parent's end, of which the fork has made another."""
        os.close(self._end_of_parent)


@dataclass(frozen=True, slots=True)
class Membership:
    """A worker's place among the others.

    Attributes:
        worker: Its number.
        counts: The folder in which all workers count together.
        lifeline: To the parent process.
    """

    worker: int
    counts: Path
    lifeline: Lifeline


class Stop(Exception):  # noqa: N818  # no error
    """The process has received a signal to stop."""


def run(settings: ServerSettings, workers: int = 1) -> None:
    """Serve until a signal to stop; exit with 1 where the address cannot be listened on."""
    if workers > 1:
        run_workers(settings, workers)
    else:
        run_one(settings)


def run_one(settings: ServerSettings, membership: Membership | None = None) -> None:
    """Serve in this process, alone or as one of several workers; exit with 1 where the address is taken."""
    gc.disable()  # until imports have ended: to search for garbage among them makes scikit-learn's a tenth longer
    if membership:
        membership.lifeline.hold_as_child()
        shared_counts.share(membership.counts, membership.worker)
    log_setup.configure(settings.log_format, wait=LOG_WAIT)
    app = create_app(settings, shared=membership.counts if membership else None)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(app, membership))
    except OSError as error:
        exit_without_address(settings, error)


async def serve(app: web.Application, membership: Membership | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent process has ended; then let open requests end.

    Args:
        app: what is served.
        membership: among several workers, which share the port; None for a single process.

    Raises:
        OSError: the address cannot be listened on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if membership:
        loop.add_reader(membership.lifeline.end_of_child, stop.set)  # readable at its end, and nothing is ever written
    settings = app[SETTINGS]
    runner = runner_of(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG, reuse_port=membership is not None)
        await site.start()
        host, bound = runner.addresses[0][:2]
        role = f" as worker {membership.worker}" if membership else ""
        log.info("listening on http://%s:%s%s", host, bound, role)
        gc.freeze()  # what is here now stays; no collection need examine it again
        gc.enable()
        await stop.wait()
        if membership:
            loop.remove_reader(
                membership.lifeline.end_of_child
            )  # else it would be called for as long as the rest takes
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
    settings, lifeline = replace(settings, port=free_port(settings)), Lifeline()
    with scratch_folder("counts") as folder, suppress(Stop):
        members = [Membership(worker, folder, lifeline) for worker in range(workers)]
        processes = [start_worker(settings, each) for each in members]
        try:
            signal.signal(signal.SIGTERM, raise_stop)
            signal.signal(signal.SIGINT, raise_stop)
            replace_dead_workers(settings, members, processes)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.join()


def replace_dead_workers(settings: ServerSettings, members: list[Membership], processes: list[ForkProcess]) -> NoReturn:
    """Start a new process for each worker that ends, until `Stop` is raised."""
    started_at = dict.fromkeys(range(len(members)), perf_counter())
    while True:
        wait([process.sentinel for process in processes])
        for member in members:
            process = processes[member.worker]
            if process.is_alive():
                continue
            log.error("worker %s ended with %s; another takes its place", member.worker, process.exitcode)
            shared_counts.forget(member.counts, member.worker)
            if perf_counter() - started_at[member.worker] < WORKER_PAUSE:
                sleep(WORKER_PAUSE)  # it cannot even start; to try without a pause would keep a processor busy
            started_at[member.worker] = perf_counter()
            processes[member.worker] = start_worker(settings, member)


def free_port(settings: ServerSettings) -> int:
    """Return the port for all workers; exit with 1 where it is taken.

    Workers share a port, so they would not detect that another server has it.
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


def start_worker(settings: ServerSettings, membership: Membership) -> ForkProcess:
    """Return a process that serves."""
    name = f"worker {membership.worker}"
    process = FORK.Process(target=run_one, args=(settings, membership), name=name, daemon=True)
    process.start()
    log.info("%s is process %s", name, process.pid)
    return process


def exit_without_address(settings: ServerSettings, error: OSError) -> NoReturn:
    """Log why the address cannot be listened on, and exit with 1."""
    reason = os.strerror(error.errno) if error.errno else error
    log.error("cannot listen on %s:%s: %s", settings.host, settings.port, reason)
    sys.exit(ExitStatus.FAILED)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's, which is a tenth faster, or the usual one where it is not installed."""
    try:
        import uvloop  # noqa: PLC0415  # no Windows has it
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
