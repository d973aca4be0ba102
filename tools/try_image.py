"""Try the image and docker-compose.yml on a real container engine: `make test-image`.

It builds from a copy of this folder that only its owner can read, runs what docker-compose.yml describes with a fake
Telegram beside it, and ends with status 1 at the first thing that is not so. Where no engine answers it says so and
ends with status 1, too. Everything has names and ports of its own, and is removed at the end. Standard library only, so
that it runs wherever the engine is. PYTHON_IMAGE, PROMETHEUS_IMAGE and GRAFANA_IMAGE name other base images.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

ROOT = Path(__file__).parents[1]
PROJECT, IMAGE = "wine-slo-test", "wine-slo-test"
FAKE = "wine-slo-test-telegram"  # the first image: what is sent to the fake outlives an upgrade
PORTS = {"PORT": 18000, "WATCHDOG_PORT": 18001, "PROMETHEUS_PORT": 19090, "GRAFANA_PORT": 13000}
SERVER, WATCHDOG = (f"http://127.0.0.1:{PORTS[name]}" for name in ("PORT", "WATCHDOG_PORT"))
OURS = ("server", "watchdog")
SERVICES = (*OURS, "prometheus", "grafana")
TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # the example of Telegram's manual; the fake's
# Beside what is shipped: a tag of its own, and the fake Telegram in the same image.
OVERRIDE = {
    "services": {
        **{name: {"image": IMAGE} for name in OURS},
        "telegram": {
            "image": FAKE,
            "command": ["python", "-m", "tests.support.fakes.served", "8081"],
            "working_dir": "/fakes",
            "healthcheck": {"disable": True},
            "volumes": ["./tests:/fakes/tests:ro"],
        },
    }
}
SETTINGS = {
    "WINE_SLO_TELEGRAM_TOKEN_FILE": "./secrets/token",
    "WINE_SLO_TELEGRAM_CHAT_IDS": "42",
    "WINE_SLO_TELEGRAM_API_URL": "http://telegram:8081",
    "WINE_SLO_POLL_SECONDS": "5",
    **{f"WINE_SLO_{name}": str(port) for name, port in PORTS.items()},
}


class WrongError(Exception):
    """Something is not as it should be."""


def find_engine() -> str:
    """Return the program of an engine that answers.

    Raises:
        WrongError: there is none.
    """
    for program in ("docker", "podman"):
        if (
            shutil.which(program)
            and subprocess.run([program, "info"], capture_output=True, check=False).returncode == 0
        ):
            return program
    raise WrongError("no container engine answers here (neither docker nor podman): nothing was tried")


class Trial:
    """One run of everything, in a copy of the project."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.settings = dict(SETTINGS)

    def run(self, *command: str, ok: bool = True, text: str | None = None) -> str:
        """Run the engine's program and return what it printed.

        Raises:
            WrongError: it failed.
        """
        ran = subprocess.run(
            [self.engine, *command],
            cwd=self.folder,
            env={**os.environ, **self.settings},
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ok and ran.returncode:
            raise WrongError(f"{' '.join((self.engine, *command))} ended with {ran.returncode}:\n{ran.stdout[-3000:]}")
        return ran.stdout

    def compose(self, *command: str, ok: bool = True) -> str:
        """Run compose on both files."""
        files = ("--file", "docker-compose.yml", "--file", "override.json")
        return self.run("compose", "--project-name", PROJECT, *files, *command, ok=ok)

    def inspect(self, name: str) -> Any:
        """Return what the engine knows of a container or an image."""
        return json.loads(self.run("inspect", name))[0]

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def is_healthy(self, container: str) -> bool:
        """Return what its health check says."""
        return bool(self.inspect(container)["State"].get("Health", {}).get("Status") == "healthy")

    def restarts(self, container: str) -> int:
        """Return how often the engine has restarted it."""
        return int(self.inspect(container)["RestartCount"])

    def until_healthy(self, *services: str) -> None:
        """Wait until each is healthy."""
        for service in services:
            until(f"{service} is healthy", partial(self.is_healthy, self.container(service)))

    def messages(self) -> list[dict[str, Any]]:
        """Return what the fake Telegram was sent."""
        lines = self.run("logs", self.container("telegram"), ok=False).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    # What is tried, in this order

    def build(self) -> str:
        """Build the image from a clone with umask 077; a changed line changes only its last layer of files."""
        begun = time.monotonic()
        self.compose("build")
        took, before = time.monotonic() - begun, self.inspect(IMAGE)
        self.run("tag", IMAGE, FAKE)
        with (self.folder / "wine_slo/monitor/commands/run.py").open("a") as module:
            module.write("# changed\n")
        begun = time.monotonic()
        self.compose("build")
        again, after = time.monotonic() - begun, self.inspect(IMAGE)
        layers = [image["RootFS"]["Layers"] for image in (before, after)]
        changed = [here for here, there in zip(*layers, strict=True) if here != there]
        expect(1 <= len(changed) <= 2, f"{len(changed)} layers changed with one line")
        return f"{before['Size'] / 1e6:.0f} MB in {took:.0f} s; after a changed line {again:.1f} s"

    def start(self) -> str:
        """Return all containers become healthy, and an `up` without a change restarts none of them."""
        begun = time.monotonic()
        self.compose("up", "--detach")
        self.until_healthy(*SERVICES)
        took = time.monotonic() - begun
        before = [self.container(service) for service in SERVICES]
        self.compose("build")
        self.compose("up", "--detach")
        expect(
            before == [self.container(service) for service in SERVICES], "containers were made anew without a change"
        )
        return f"healthy after {took:.0f} s"

    def hardening(self) -> str:
        """Return each container has no more rights than docker-compose.yml gives."""
        for service in SERVICES:
            container = self.inspect(self.container(service))
            host = container["HostConfig"]
            wanted = {
                "a read-only root": host["ReadonlyRootfs"],
                "no capabilities": host["CapDrop"] == ["ALL"] and not host["CapAdd"],
                "no new privileges": any("no-new-privileges" in each for each in host["SecurityOpt"]),
                "a user": container["Config"]["User"].partition(":")[0] not in {"", "0", "root"},
                "a limit of memory without swap": 0 < host["Memory"] == host["MemorySwap"],
                "a limit of processes": host["PidsLimit"] > 0,
                "its port on loopback": {p["HostIp"] for b in host["PortBindings"].values() for p in b}
                == {"127.0.0.1"},
            }
            for what, is_so in wanted.items():
                expect(is_so, f"{service} lacks {what}")
        for service in OURS:
            status = self.compose("exec", "-T", service, "cat", "/proc/self/status")
            for line in (r"CapEff:\s+0+$", r"CapBnd:\s+0+$", r"NoNewPrivs:\s+1$", r"Uid:\s+10001\s"):
                expect(re.search(line, status, flags=re.MULTILINE), f"{service}: not {line} in {status}")
            written = self.compose("exec", "-T", service, "touch", "/app/x", ok=False)
            expect("Read-only file system" in written, f"{service} can write to /app: {written}")
        shown = self.run("inspect", self.container("watchdog")) + self.compose("config")
        expect(TOKEN not in shown, "inspect or config shows the token")
        return "as docker-compose.yml says, and in force"

    def drill(self) -> str:
        """Return a breach and its recovery are sent, with a picture, and the token is in no log."""
        said = self.compose("exec", "-T", "watchdog", "wine-slo", "drill", "--minutes", "2")
        until("a picture is sent", lambda: any(each["method"] == "sendPhoto" for each in self.messages()))
        expect(any(each["is_reply"] for each in self.messages()), "the recovery answers no message")
        expect(TOKEN not in self.compose("logs"), "a log holds the token")
        return said.strip().splitlines()[-1].strip()

    def idle(self) -> str:
        """Return what they take when nothing happens."""
        before = {service: self.processor_seconds(service) for service in OURS}
        time.sleep(60)
        used = {service: 1000 * (self.processor_seconds(service) - before[service]) for service in OURS}
        form = "{{.Name}} {{.MemUsage}}"
        memory = self.run("stats", "--no-stream", "--format", form, *(self.container(each) for each in OURS))
        sizes = dict(re.findall(r"-(server|watchdog)-1 (\S+)", memory))
        return ", ".join(f"{each} {used[each]:.0f} ms a minute and {sizes.get(each)}" for each in OURS)

    def processor_seconds(self, service: str) -> float:
        """Return the processor time that a container has taken."""
        text = self.compose(
            *("exec", "-T", service, "sh", "-c"),
            "cat /sys/fs/cgroup/cpu.stat 2>/dev/null || cat /sys/fs/cgroup/cpuacct/cpuacct.usage",
        )
        micros = re.search(r"usage_usec (\d+)", text)
        return int(micros[1]) / 1e6 if micros else int(text.split()[-1]) / 1e9

    def kill(self) -> str:
        """Return whatever is killed comes back and is healthy."""
        for service in SERVICES:
            container = self.container(service)
            state = self.inspect(container)
            # From beside: a container cannot kill its own first process, and `docker kill` counts as a stop by an
            # operator.
            kill = ("--rm", "--pid", "host", "--user", "0", "--entrypoint", "sh", IMAGE, "-c")
            self.run("run", *kill, f"kill -9 {state['State']['Pid']}")
            until(
                f"{service} is restarted",
                partial(lambda of, n: self.restarts(of) > n, container, state["RestartCount"]),
            )
            self.until_healthy(service)
        return "each is restarted and healthy"

    def reload(self) -> str:
        """Send SIGHUP, after which objectives that an editor has replaced are read."""
        path = self.folder / "config" / "slo.yml"
        new = path.with_suffix(".new")
        new.write_text(path.read_text().replace("objective: 0.99 ", "objective: 0.98 ").replace("0.99\n", "0.98\n"))
        new.chmod(0o644)
        new.replace(path)
        self.compose("kill", "--signal", "HUP", "watchdog")
        until("the new objective is judged", lambda: "0.98" in request(f"{WATCHDOG}/api/status")[1])
        return "a file that was replaced"

    def upgrade(self) -> str:
        """Return an incident that is open when the image changes is neither notified twice nor forgotten."""
        old = len(self.messages())

        def sent(sign: str) -> list[dict[str, Any]]:
            new = [each for each in self.messages()[old:] if each["method"] == "sendMessage"]
            return [each for each in new if each["text"].startswith(sign)]

        with requesting(f"{SERVER}/sleep?seconds=1.5"):
            until("a breach is sent", partial(sent, "🔴"), seconds=120)
            with (self.folder / "wine_slo/monitor/commands/run.py").open("a") as module:
                module.write("# upgraded\n")
            before = self.container("watchdog")
            self.compose("build")
            self.compose("up", "--detach")
            expect(self.container("watchdog") != before, "the watchdog still runs the old image")
            self.until_healthy("watchdog")
            time.sleep(20)
        with requesting(f"{SERVER}/ui"):
            until("the recovery is sent", partial(sent, "🟢"), seconds=120)
        expect(len(sent("🔴")) == 1, f"the breach was sent {len(sent('🔴'))} times")
        expect(all(each["is_reply"] for each in sent("🟢")), "the recovery answers no message")
        return "one breach, one recovery, as its answer"

    def alone(self) -> str:
        """Return the watchdog runs alone beside a Prometheus that was there before, and has no second one started."""
        self.compose("down", "--volumes")
        self.settings |= {"WINE_SLO_PROMETHEUS_URL": "http://existing:9090", "WINE_SLO_GRAFANA_URL": ""}
        self.compose("up", "--detach", "watchdog")
        self.until_healthy("watchdog")
        names = self.compose("ps", "--all", "--services").split()
        expect(names == ["watchdog"], f"{names} were started")
        network = ("--network", f"{PROJECT}_default", "--label", f"{PROJECT}=1")
        self.run("run", "--detach", *network, "--network-alias", "server", IMAGE)
        mount = f"{self.folder}/deploy/compose:/etc/prometheus:ro"
        prometheus = json.loads(self.compose("config", "--format", "json"))["services"]["prometheus"]["image"]
        flags = ("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/tmp/data")
        existing = ("--network-alias", "existing", "--tmpfs", "/tmp", "--volume", mount, prometheus, *flags)
        self.run("run", "--detach", *network, *existing)
        seen = "sight of availability is clear"
        until("it sees the service", lambda: seen in self.compose("logs", "watchdog"))
        return "beside a Prometheus of another's"

    def bare(self) -> str:
        """Return the image runs either process without compose, and each is healthy by the image's own check."""
        rights = ("--detach", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp", "--label", f"{PROJECT}=1")
        data = ("--tmpfs", "/app/data:uid=10001", "--env", "WINE_SLO_WATCHDOG_LOGIN_REQUIRED=false")
        for name in OURS:
            container = self.run("run", *rights, *data, IMAGE, "python", "-m", f"wine_slo.{name}").strip()
            until(f"the {name} is healthy", partial(self.is_healthy, container))
            requested = self.run("exec", container, "python", "-c", SLEEPS, ok=False).strip()
            expect(name != "server" or requested == "404", f"/sleep of the bare image answers {requested}")
            self.run("stop", container)
            status = self.inspect(container)["State"]["ExitCode"]
            expect(status == 0, f"the {name} ends with {status}")
        return "healthy, and ended with 0"

    def remove(self) -> None:
        """Remove whatever was made."""
        self.compose("down", "--volumes", "--remove-orphans", ok=False)
        if left := self.run("ps", "--all", "--quiet", "--filter", f"label={PROJECT}=1", ok=False).split():
            self.run("rm", "--force", "--volumes", *left, ok=False)
        self.compose("down", "--volumes", "--remove-orphans", ok=False)
        self.run("image", "rm", "--force", IMAGE, FAKE, ok=False)


SLEEPS = """
import urllib.request as r, urllib.error as e
try: print(r.urlopen("http://127.0.0.1:8000/sleep?seconds=0").status)
except (e.HTTPError, OSError) as error: print(getattr(error, "code", "nothing"))
"""


def expect(claim: object, otherwise: str) -> None:
    """Go on where the claim holds.

    Raises:
        WrongError: it does not.
    """
    if not claim:
        raise WrongError(otherwise)


def until(what: str, claim: Callable[[], object], seconds: float = 90) -> None:
    """Wait until a claim holds.

    Raises:
        WrongError: it did not in time.
    """
    ends = time.monotonic() + seconds
    while not claim():
        expect(time.monotonic() < ends, f"not within {seconds:g} s: {what}")
        time.sleep(0.5)


def request(url: str) -> tuple[int, str]:
    """Return status and text of an answer; 0 where there is none."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=15) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


@contextmanager
def requesting(url: str) -> Iterator[None]:
    """Request something four times at once, again and again, meanwhile."""
    ends = Event()

    def again() -> None:
        while not ends.is_set():
            request(url)
            ends.wait(0.2)

    threads = [Thread(target=again, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ends.set()
        for thread in threads:
            thread.join()


def copy_project(folder: Path) -> None:
    """Copy what git knows to a folder as a clone with umask 077 has it, and let containers read what they mount."""
    os.umask(0o077)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    for name in filter(None, names) if names else (str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    for mounted in ("config", "deploy/compose", "dashboards", "tests"):  # docs/how-to/deployment.md says so, too
        for path in (folder / mounted, *(folder / mounted).rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    (folder / "override.json").write_text(json.dumps(OVERRIDE))
    (folder / "secrets").mkdir()
    token = folder / "secrets" / "token"
    token.write_text(TOKEN)
    with suppress(PermissionError):  # who is not root has an engine that maps users
        os.chown(token, 10001, -1)
    token.chmod(0o400)


def main() -> None:
    """Try everything, print a line for each thing, and end with 1 at the first that is wrong."""
    try:
        engine = find_engine()
    except WrongError as error:
        sys.exit(str(error))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wine-slo-") as folder:
        copy_project(Path(folder))
        trial = Trial(engine, Path(folder))
        steps: tuple[Callable[[], str], ...] = (
            *(trial.build, trial.start, trial.hardening, trial.drill, trial.idle, trial.kill, trial.reload),
            *(trial.upgrade, trial.alone, trial.bare),
        )
        chosen = sys.argv[1:] or [step.__name__ for step in steps]
        try:
            trial.remove()
            for step in steps:
                if step.__name__ in chosen:
                    print(f"ok    {step.__name__:10} {step()}", flush=True)
        except WrongError as error:
            print(f"wrong {step.__name__:10} {error}\n{trial.compose('logs', '--tail', '30', ok=False)}", flush=True)
            sys.exit(1)
        finally:
            trial.remove()
    print(f"all of it in {time.monotonic() - begun:.0f} s on {engine}")


if __name__ == "__main__":
    main()
