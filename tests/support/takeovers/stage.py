"""Several real watchdogs on one real PostgreSQL, each with ways to it and to Telegram that can break.

Prometheus is real too; what it scrapes fails now and then by a script, and Telegram is the fake Bot API.
"""

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time

from tests.support.fakes.bot_api import BotApi, Outcome
from tests.support.fakes.bot_api import Call as BotCall
from tests.support.fakes.tcp_proxy import TcpProxy
from tests.support.fakes.telegram_html import visible_text
from tests.support.real.postgres import OWNER, Database
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import Prometheus, free_port, scraping
from tests.support.takeovers import checks
from tests.support.takeovers.audit import Audit
from tests.support.takeovers.endpoints import OBJECTIVES, Endpoints
from tests.support.takeovers.history import Breach, Call, History, Tenure
from tests.support.takeovers.network import Network

LOOPBACK = "127.0.0.1"
CHAT = 42
MOST_UNANNOUNCED = 3  # breaches
LEASE = 10.0  # seconds
STARTS_WITHIN = 60.0  # seconds
SETTLES_WITHIN = 150.0  # seconds from the last blow until nothing is left to deliver
# A namespace of processes of its own, as on another machine: nobody sees there that a process has ended.
ELSEWHERE = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]
NOT_DONE = (Outcome.PENDING, Outcome.REFUSED, Outcome.HANGS, Outcome.ODD)


@dataclass
class Member:
    """One of the watchdogs: its process, which is started again and again, and its ways to the others."""

    name: str
    postgres: TcpProxy
    telegram: TcpProxy
    prometheus: TcpProxy
    network: Network | None
    settings: dict[str, str] = field(default_factory=dict)
    lives: list[Process] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)  # the process ids that were made to end
    is_elsewhere: bool = False

    @property
    def process(self) -> Process:
        return self.lives[-1]

    @property
    def ways(self) -> tuple[TcpProxy, ...]:
        return self.postgres, self.telegram, self.prometheus

    @property
    def where(self) -> str:
        return "elsewhere" if self.is_elsewhere else "here"

    @property
    def pid(self) -> int:
        """The process id of the watchdog itself, as seen from here."""
        if not self.is_elsewhere:
            return self.process.pid
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the watchdog; one that ends it is expected to."""
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self.expected.add(self.process.pid)
        with suppress(ProcessLookupError, IndexError, FileNotFoundError):
            os.kill(self.pid, number)


class Stage:
    """Everything that runs, and what was seen of it.

    Args:
        processes: Starts the watchdogs.
        database: Theirs.
        bot_api: Their Telegram.
        chance: Where a choice is made by chance.
        endpoints: How many endpoints there are; each is in breach once in that many breaches.
        has_networks: Whether each watchdog has a network of its own.
        has_charts: Whether they send charts as well.
        longest_pause: Seconds of the longest pause that is made by chance.
    """

    def __init__(  # noqa: PLR0913 - two tests wire it, by name
        self,
        processes: Processes,
        database: Database,
        bot_api: BotApi,
        chance: random.Random,
        endpoints: int,
        *,
        has_networks: bool = False,
        has_charts: bool = False,
        longest_pause: float = 15.0,
    ) -> None:
        self.processes = processes
        self.database = database
        self.bot_api = bot_api
        self.chance = chance
        self.audit = Audit(database)
        self.service = Endpoints(endpoints)
        self.members: dict[str, Member] = {}
        self.history = History(lease=LEASE)
        self._prometheus: Prometheus | None = None
        self._has_networks = has_networks
        self._has_charts = has_charts
        self._longest_pause = longest_pause

    async def start(self, *names: str) -> None:
        """Start everything, the first watchdog first, which leads."""
        await self.service.__aenter__()
        (self.processes.folder / "slo.yml").write_text(OBJECTIVES)
        self._prometheus = Prometheus(self.processes.folder / "prometheus", scraping(self.service.target))
        await self._prometheus.start()
        self.bot_api.chat(CHAT)
        for name in names:
            await self._add(name, self._prometheus.port)
        first, *others = self.members.values()
        await self.start_member(first)
        await first.process.until_line("listening on", STARTS_WITHIN)
        await self._until_led()
        await self.audit.install()
        for each in others:
            await self.start_member(each)
        await self.settle()

    async def end(self) -> None:
        """End everything that still runs, and keep what it said."""
        for member in (each for each in self.members.values() if each.lives):
            member.send(signal.SIGCONT)
            member.send(signal.SIGKILL)
        await self.processes.end()
        for member in self.members.values():
            for way in member.ways:
                await way.__aexit__()
            if member.network:
                member.network.__exit__()
        if self._prometheus:
            await self._prometheus.kill()
        await self.service.__aexit__()

    async def start_member(self, member: Member, *, elsewhere: bool = False) -> None:
        """Start a watchdog whose process has ended."""
        command = [sys.executable, "-m", "wine_slo.watchdog"]
        prefix = [*(member.network.prefix if member.network else []), *(ELSEWHERE if elsewhere else [])]
        member.is_elsewhere = elsewhere
        member.lives.append(await self.processes.start(member.name, [*prefix, *command], member.settings))

    async def leader(self) -> Member | None:
        """Return who has the lease; None where that cannot be known."""
        tenure = await self.audit.tenure()
        return self.members.get(tenure.who) if tenure and not tenure.is_freed else None

    async def settle(self, seconds: float = STARTS_WITHIN) -> Member:
        """Wait until one leads and every other one stands by, and return who leads."""
        deadline = monotonic() + seconds
        while True:
            leader = await self.leader()
            waiting = [each for each in self.members.values() if not self._is_ready(each)]
            if leader and leader.process.is_running and not waiting:
                return leader
            outputs = [each.process.output[-3000:] for each in waiting]
            assert monotonic() < deadline, f"{leader and leader.name} leads, not ready: {outputs}"
            await asyncio.sleep(0.1)

    async def until_succeeded(self, tenure: Tenure, seconds: float) -> Tenure | None:
        """Wait until another one has the lease, and return that; None where nobody takes it in time."""
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            now = await self.audit.tenure()
            if now and now.who != tenure.who:
                return now
            await asyncio.sleep(0.1)
        return None

    async def pause(self, seconds: float) -> None:
        """Let a time by chance go by, of at most so many seconds."""
        await asyncio.sleep(self.chance.uniform(0, min(seconds, self._longest_pause)))

    # What is scripted, and what was seen

    async def breach(self, every: float, lasts: tuple[float, float]) -> None:
        """Have one endpoint after the other be in breach, until cancelled.

        Not while several are not announced yet, as many at once would be one message.
        """
        number = 0
        async with asyncio.TaskGroup() as group:
            while True:
                if len(self._unannounced()) < MOST_UNANNOUNCED:
                    name = self.service.names[number % len(self.service.names)]
                    number += 1
                    group.create_task(self._one_breach(name, self.chance.uniform(*lasts)))
                await asyncio.sleep(every)

    async def finish(self) -> History:
        """Wait until nothing is left to deliver, and return everything that was seen."""
        deadline = monotonic() + SETTLES_WITHIN
        while monotonic() < deadline:
            await asyncio.sleep(0.5)
            if not list(checks.lost(await self.seen())):
                break
        return await self.seen(final=True)

    def described(self) -> str:
        """Return what was done and what was said, for who reads of a violation."""
        history = self.history
        lines = [(each.since, f"-- {each}") for each in history.breaches]
        lines += [(each.since, f"-- {each}") for each in history.tenures]
        lines += [(each.at, f"-- {each}") for each in history.blows]
        lines += [(each.at, f"{each.who} {each.method} {each.text!r}") for each in history.calls if each.text]
        return "\n".join(f"{at:.2f} {line}" for at, line in sorted(lines))

    async def seen(self, *, final: bool = False) -> History:
        """Return what was seen so far; of the database only at the end."""
        hosts = {each.telegram.address: each.name for each in self.members.values()}
        self.history.calls = [_call(each, hosts[each.host]) for each in self.bot_api.calls if each.host in hosts]
        if final:
            self.history.tenures = await self.audit.tenures()
            self.history.writes = await self.audit.writes()
            for member in self.members.values():
                for life in member.lives:
                    name = f"{member.name}, process {life.pid}"
                    self.history.logs[name] = life.output
                    if not life.is_running and life.pid not in member.expected:
                        self.history.ended.append(f"{name}:\n{life.output[-3000:]}")
        return self.history

    async def _one_breach(self, name: str, seconds: float) -> None:
        since = time()
        self.service.fails(name)
        index = len(self.history.breaches)
        self.history.breaches.append(Breach(name=name, since=since, until=float("inf")))
        try:
            await asyncio.sleep(seconds)
        finally:
            self.service.recovers(name)
            self.history.breaches[index] = Breach(name=name, since=since, until=time())

    def _unannounced(self) -> list[Breach]:
        calls = [_call(each, "") for each in self.bot_api.calls]
        said = [each for each in calls if each.is_message]
        return [
            each
            for each in self.history.breaches
            if not any(call.at > each.since and call.names(each) for call in said)
        ]

    async def _add(self, name: str, prometheus: int) -> None:
        network = Network(len(self.members)).__enter__() if self._has_networks else None
        host = network.host if network else LOOPBACK
        postgres = TcpProxy(self.database.server.port, network.database_host if network else LOOPBACK)
        telegram = TcpProxy(int(self.bot_api.url.rpartition(":")[2]), host)
        member = Member(name, postgres, telegram, TcpProxy(prometheus, host), network)
        self.members[name] = member
        for way in member.ways:
            await way.__aenter__()
        member.settings = {
            "WINE_SLO_DATABASE_URL": f"{self.database.url_of(OWNER, postgres.address)}?application_name={name}",
            "WINE_SLO_STANDBY": "true",
            "WINE_SLO_PROMETHEUS_URL": f"http://{member.prometheus.address}",
            "WINE_SLO_WATCHDOG_PORT": str(free_port()),
            "WINE_SLO_POLL_SECONDS": "2",
            "WINE_SLO_TELEGRAM_TOKEN": self.bot_api.token,
            "WINE_SLO_TELEGRAM_API_URL": f"http://{telegram.address}",
            "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
            "WINE_SLO_CHARTS_ENABLED": str(self._has_charts).lower(),
        }

    async def _until_led(self) -> None:
        deadline = monotonic() + STARTS_WITHIN
        while not self.database.run("SELECT 1 FROM pg_tables WHERE tablename = 'lease'") or not self.database.run(
            "SELECT number FROM lease"
        ):
            assert monotonic() < deadline, "nobody takes the lease"
            await asyncio.sleep(0.2)

    def _is_ready(self, member: Member) -> bool:
        return member.process.is_running and any(
            "listening on" in line or "stands by" in line for line in member.process.lines
        )


def _call(call: BotCall, who: str) -> Call:
    text = call.text or ""
    if call.parameters.get("parse_mode") == "HTML":
        text = visible_text(text)
    return Call(
        who=who,
        method=call.method.lower(),
        at=call.at.timestamp(),
        ended_at=call.ended_at.timestamp() if call.ended_at else None,
        is_done=call.outcome not in NOT_DONE,
        text=text,
    )
