"""The processes in pods as deploy/kubernetes describes them, without a cluster: `make try-pods`, as root on Linux.

What a scheduler, a network plugin and a storage class do is not here: the pods stand on one machine and one network.
"""

import asyncio
import base64
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from tests.repo.kubernetes.cluster import Cluster, Pod
from tests.support.fakes.bot_api import BotApi
from tests.support.real.pod import Container
from tests.support.real.postgres import Database
from tests.support.real.processes import Process
from tests.support.real.prometheus import Prometheus, free_port
from tests.system.conftest import CHAT

PROBED_EVERY = 0.05  # seconds
TAKES_OVER_WITHIN, HANDS_OVER_WITHIN = 15.0, 2.0  # seconds


class Pods:
    """Starts pods of an overlay beside a fake Telegram.

    Attributes:
        settings: What differs in each, as all of them are on this machine's loopback; no Prometheus answers at first.

    Args:
        overlay: Which.
        folder: For their roots.
        bot_api: Telegram.
        database_url: The ledger of all, in the place of that of the example; "" for the overlay's own.
    """

    def __init__(self, overlay: str, folder: Path, bot_api: BotApi, database_url: str = "") -> None:
        secrets = {"telegram_token": bot_api.token, "telegram_chat_ids": str(CHAT), "database_url": database_url}
        cluster = Cluster.of(overlay)
        secret = cluster.kind("Secret")["watchdog"]["data"]
        secret |= {key: base64.b64encode(value.encode()).decode() for key, value in secrets.items()}
        self._cluster = cluster
        self._folder = folder
        self.settings = {
            "WINE_SLO_HOST": "127.0.0.1",
            "WINE_SLO_WATCHDOG_HOST": "127.0.0.1",
            "WINE_SLO_PROMETHEUS_URL": f"http://127.0.0.1:{free_port()}",
            "WINE_SLO_TELEGRAM_API_URL": bot_api.url,
            "WINE_SLO_POLL_SECONDS": "2",
        }
        self._started: list[Process] = []

    @property
    def password(self) -> str:
        return self._cluster.data("Secret", "watchdog")["watchdog_password"]

    async def start(self, name: str) -> tuple[Process, str]:
        """Start a pod of a Deployment; its process, and its address."""
        port = str(free_port())
        ports = {"server": "WINE_SLO_PORT", "watchdog": "WINE_SLO_WATCHDOG_PORT"}
        return await self.run(name, {ports[name]: port}), f"http://127.0.0.1:{port}"

    async def run(self, name: str, settings: Mapping[str, str], *command: str) -> Process:
        """Run the command of a Deployment's container, or another one with the same variables, files and rights."""
        (pod,) = [each for each in self._cluster.pods if each.name == name]
        root = self._folder / f"root-{len(self._started)}"
        root.mkdir()
        container = Container(
            command=command or pod.container["command"],
            environment={**self._cluster.environment(pod), **self.settings, **settings},
            files=self._cluster.files(pod),
            volumes=dict(volumes(pod)),
            user=pod.spec["securityContext"]["runAsUser"],
        )
        process = await container.start(f"{name}-{len(self._started)}", root)
        self._started.append(process)
        return process

    async def end(self) -> None:
        """Kill what still runs."""
        for each in self._started:
            await each.kill()


def rights_of(process: Process) -> str:
    """Return what the kernel says of a process."""
    return Path(f"/proc/{process.pid}/status").read_text()


def volumes(pod: Pod) -> dict[str, str]:
    """Return the sizes of what can be written to."""
    written = ((mount, volume) for mount, volume in pod.mounts if volume.keys() & {"emptyDir", "persistentVolumeClaim"})
    return {
        mount["mountPath"]: volume.get("emptyDir", {}).get("sizeLimit", "1Gi").replace("i", "")
        for mount, volume in written
    }


async def health(url: str, path: str = "/health") -> tuple[int, dict[str, object]]:
    """Return the answer to a probe; 0 where there is none."""
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"{url}{path}", headers={"Host": "localhost"}) as response:
                return response.status, await response.json(content_type=None) if path != "/metrics" else {}
        except aiohttp.ClientError:
            return 0, {}


async def until(url: str, path: str = "/health", code: int = 200, seconds: float = 60.0, **wanted: object) -> float:
    """Wait until a probe is answered by that status and words; return how long that took, in seconds.

    Raises:
        AssertionError: it did not in time.
    """
    begun = time.monotonic()
    said: dict[str, object] = {}
    while time.monotonic() - begun < seconds:
        status, said = await health(url, path)
        if status == code and wanted.items() <= said.items():
            return time.monotonic() - begun
        await asyncio.sleep(PROBED_EVERY)
    raise AssertionError(f"{url}{path} did not answer {code} {wanted} within {seconds:g} s, but {said}")


async def test_one_watchdog_alone_notifies_from_its_pod(tmp_path: Path, bot_api: BotApi) -> None:
    bot_api.chat(CHAT)
    pods = Pods("sqlite", tmp_path, bot_api)
    try:
        process, url = await pods.start("watchdog")
        await until(url, "/alive")
        await until(url)
        status = rights_of(process)
        assert "CapBnd:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        assert "Uid:\t10001\t10001" in status
        await process.until_line("chat 42 was notified", seconds=150)
        assert "Read-only file system" not in process.output
        assert await process.terminate(seconds=15) == 0
    finally:
        await pods.end()
    assert any("Monitoring lost" in text for text in bot_api.chat(CHAT).texts)


async def test_the_server_classifies_in_its_pod(tmp_path: Path, bot_api: BotApi) -> None:
    pods = Pods("prometheus-operator", tmp_path, bot_api)
    try:
        process, url = await pods.start("server")
        await until(url, "/metrics")
        await until(url, status="ok")
        assert await process.terminate(seconds=15) == 0
    finally:
        await pods.end()


async def test_a_drill_in_the_cluster_that_had_nothing_is_read_in_the_chat(tmp_path: Path, bot_api: BotApi) -> None:
    bot_api.chat(CHAT)
    pods = Pods("plain-prometheus", tmp_path, bot_api)
    _, server = await pods.start("server")
    port = free_port()
    login = {"authorization": {"credentials": pods.password}}
    targets = {"wine-slo": (server.removeprefix("http://"), {}), "watchdog": (f"127.0.0.1:{port}", login)}
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [target]}], **more}
        for name, (target, more) in targets.items()
    ]
    times = {"scrape_interval": "5s", "scrape_timeout": "4s"}
    prometheus = Prometheus(tmp_path / "prometheus", {"global": times, "scrape_configs": jobs})
    await prometheus.start()
    pods.settings |= {"WINE_SLO_PROMETHEUS_URL": prometheus.url, "WINE_SLO_SERVICE_URL": server}
    pods.settings |= {"WINE_SLO_WATCHDOG_PORT": str(port), "WINE_SLO_POLL_SECONDS": "30"}
    try:
        watchdog = await pods.run("watchdog", {})
        await watchdog.until_line("sight of latency is clear|sight of availability is clear", seconds=60)
        drill = await pods.run("watchdog", {}, "python", "-m", "wine_slo", "drill")
        assert await drill.wait(seconds=240) == 0, drill.output
        assert "Drill passed." in drill.output
        doctor = await pods.run("watchdog", {}, "python", "-m", "wine_slo", "doctor")
        await doctor.wait(seconds=60)
        print(doctor.output)  # noqa: T201
        assert "cannot" not in doctor.output
    finally:
        await pods.end()
        await prometheus.stop()
    assert any(text.startswith("🔴") for text in bot_api.chat(CHAT).texts)


async def test_two_watchdogs_take_turns_in_their_pods(tmp_path: Path, bot_api: BotApi, database: Database) -> None:
    bot_api.chat(CHAT)
    pods = Pods("watchdog-only", tmp_path, bot_api, database.url)
    try:
        first, first_url = await pods.start("watchdog")
        await until(first_url, role="leader")
        second, second_url = await pods.start("watchdog")
        ready = await until(second_url, role="standby")
        await first.kill()
        killed = await until(second_url, seconds=TAKES_OVER_WITHIN, role="leader")
        third, third_url = await pods.start("watchdog")
        await until(third_url, role="standby")
        ended, took = await asyncio.gather(
            second.terminate(seconds=15), until(third_url, seconds=HANDS_OVER_WITHIN, role="leader")
        )
        assert ended == 0
        takeovers = [text for text in bot_api.chat(CHAT).texts if "took over" in text]
        assert len(takeovers) == 1, "of the one that was killed, and none of the one that was ended"
        assert takeovers[0].startswith("🔄 The watchdog on watchdog-1 took over from watchdog-0, which gave no sign of")
        database.server.stop()
        await third.until_line("lead", seconds=30)
        assert (await health(third_url, "/alive"))[0] == 200
        await until(third_url, code=503)
        database.server.start()
        await until(third_url, role="leader")
        assert await third.terminate(seconds=15) == 0
    finally:
        await pods.end()
    print(f"ready as a standby after {ready:.1f} s; leads {killed:.1f} s after kill -9, {took:.2f} s after SIGTERM")  # noqa: T201
