"""What can be wrong between the files by which this is run; each check returns sentences, none where they agree."""

import fnmatch
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.repo.dashboards.grafana import FOLDER as DASHBOARDS
from tests.repo.dashboards.grafana import expressions, panels, seconds
from wine_slo.config import slo_file
from wine_slo.config.environment import Setting, listed
from wine_slo.metric_names import RESPONSES
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.settings import ServerSettings
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import Alert, Objective

ROOT = DASHBOARDS.parent
COMPOSE, DOCKERFILE, PROCFILE, MAKEFILE = "docker-compose.yml", "Dockerfile", "Procfile", "Makefile"
HEALTH, TRIM = "deploy/image/health.sh", "deploy/image/trim.sh"
PROMETHEUS, COMPOSED_PROMETHEUS = "prometheus.yml", "deploy/compose/prometheus.yml"
SOURCE = "dashboards/provisioning/datasources/prometheus.yml"
PROVIDER = "dashboards/provisioning/dashboards/wine-slo.yml"
UNITS = "deploy/systemd"
SLO = str(WatchdogSettings().objectives)
SETTINGS = {"server": listed(ServerSettings), "watchdog": listed(WatchdogSettings)}
# What .env does not decide under compose, because docker-compose.yml or the image does.
DECIDED = {
    "WINE_SLO_HOST": "the image: every address of the container",
    "WINE_SLO_PORT": "the host's side of the port",
    "WINE_SLO_MODEL": "the image holds it",
    "WINE_SLO_WATCHDOG_HOST": "as WINE_SLO_HOST",
    "WINE_SLO_WATCHDOG_PORT": "as WINE_SLO_PORT",
    "WINE_SLO_WATCHDOG_URL": "a request from inside the container finds it where it listens",
}
QUIET_GRAFANA = {
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
    "GF_USERS_ALLOW_SIGN_UP": "false",
    "GF_UNIFIED_ALERTING_ENABLED": "false",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
    "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
}
UNIT_NAMES = ("server", "watchdog", "prometheus")
PINNED = re.compile(r"^\$\{[A-Z]+_IMAGE:-[a-z/]+:v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}\}$")
DANGEROUS = ("--web.enable-admin-api", "--web.enable-lifecycle", "--web.enable-remote-write-receiver")

Json = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """The files, by their path from the root of the project."""

    texts: Mapping[str, str]

    @classmethod
    def shipped(cls) -> "Plan":
        patterns = (
            *(COMPOSE, DOCKERFILE, PROCFILE, MAKEFILE, PROMETHEUS, COMPOSED_PROMETHEUS, HEALTH, TRIM),
            *(".dockerignore", ".gitignore", ".env.example", "requirements-build.txt"),
            *(
                SLO,
                "pyproject.toml",
                "dashboards/*.json",
                "dashboards/provisioning/*/*.yml",
                f"{UNITS}/*.service",
            ),
        )
        paths = chain.from_iterable(sorted(ROOT.glob(pattern)) for pattern in patterns)
        return cls({str(path.relative_to(ROOT)): path.read_text() for path in paths})

    def changed(self, path: str, before: str, after: str) -> "Plan":
        assert before in self.texts[path], f"{before!r} is not in {path}"
        return replace(self, texts={**self.texts, path: self.texts[path].replace(before, after)})

    def yaml(self, path: str) -> Json:
        return _yaml(self.texts[path])

    @cached_property
    def services(self) -> dict[str, Json]:
        services: dict[str, Json] = self.yaml(COMPOSE)["services"]
        return services

    @cached_property
    def dashboards(self) -> dict[str, Json]:
        paths = fnmatch.filter(self.texts, "dashboards/*.json")
        return {Path(path).stem: _json(self.texts[path]) for path in paths}

    @cached_property
    def objectives(self) -> dict[str, Objective]:
        return _objectives(self.texts[SLO])

    @cached_property
    def image(self) -> list[str]:
        """The instructions of the Dockerfile, each on one line."""
        lines = re.sub(r"^#.*\n", "", self.texts[DOCKERFILE], flags=re.MULTILINE).replace("\\\n", " ")
        return [re.sub(r"\s+", " ", line) for line in lines.splitlines() if line]

    @cached_property
    def last_stage(self) -> list[str]:
        starts = [number for number, line in enumerate(self.image) if line.startswith("FROM ")]
        return self.image[starts[-1] :]

    def unit(self, name: str) -> list[tuple[str, str]]:
        text = self.texts[f"{UNITS}/wine-slo-{name}.service"].replace("\\\n", " ")
        pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
        return [(key, value.strip()) for key, _, value in pairs]


@cache
def _yaml(text: str) -> Json:
    content: Json = yaml.safe_load(text)
    return content


@cache
def _json(text: str) -> Json:
    content: Json = json.loads(text)
    return content


@cache
def _objectives(text: str) -> dict[str, Objective]:
    return {each.name: each for each in slo_file.parse(text).objectives().all}


def problems(plan: Plan) -> list[str]:
    """Everything that does not fit together."""
    checks: tuple[Callable[[Plan], Iterator[str]], ...] = (
        _ports,
        _addresses,
        _jobs,
        _intervals,
        _mounts,
        _places,
        _history,
        _environment,
        _hardening,
        _limits,
        _health,
        _alone,
        _fault_endpoints,
        _ignored,
        _grafana,
        _image,
        _copies,
        _units,
        _commands,
        _objectives_shown,
    )
    return [problem for check in checks for problem in check(plan)]


def _default(settings: list[Setting], variable: str) -> str:
    return next(setting.default for setting in settings if setting.variable == variable)


def _published(service: Json) -> Iterator[tuple[str, str, str]]:
    for port in service["ports"]:
        host, published, inner = port.replace(":-", "=-").rsplit(":", 2)
        yield host, re.sub(r"\$\{\w+=-(\d+)\}", r"\1", published), inner


def _wanted_ports() -> dict[str, str]:
    requested = urlsplit(_default(SETTINGS["watchdog"], "WINE_SLO_PROMETHEUS_URL"))
    return {
        "server": _default(SETTINGS["server"], "WINE_SLO_PORT"),
        "watchdog": _default(SETTINGS["watchdog"], "WINE_SLO_WATCHDOG_PORT"),
        "prometheus": str(requested.port),
        "grafana": "3000",
    }


def _ports(plan: Plan) -> Iterator[str]:
    wanted = _wanted_ports()
    for name, service in plan.services.items():
        for host, published, inner in _published(service):
            if host != "127.0.0.1":
                yield f"{name}: its port is open to other machines"
            if published != wanted[name] or inner != wanted[name]:
                yield f"{name}: port {published}:{inner} instead of {wanted[name]}"
        if name not in SETTINGS and f":{wanted[name]}/" not in " ".join(service["healthcheck"]["test"]):
            yield f"{name}: its health is checked on another port than {wanted[name]}"
    if f"EXPOSE {wanted['server']} {wanted['watchdog']}" not in plan.last_stage:
        yield f"{DOCKERFILE}: EXPOSE is not what they listen on"


def _health(plan: Plan) -> Iterator[str]:
    """One script says how either process is, by the port that it has by default."""
    command = '["bash", "/app/health.sh"]'
    if not any(line.startswith("HEALTHCHECK") and line.endswith(f"CMD {command}") for line in plan.last_stage):
        yield f"{DOCKERFILE}: HEALTHCHECK does not run {command}"
    for name, settings in SETTINGS.items():
        if plan.services[name]["healthcheck"]["test"] != ["CMD", *json.loads(command)]:
            yield f"{name}: its health is not checked by {command}"
        variable = "WINE_SLO_PORT" if name == "server" else "WINE_SLO_WATCHDOG_PORT"
        if rf"*wine[-_]slo[.\ ]{name}*)" not in plan.texts[HEALTH]:
            yield f"{HEALTH}: does not know the {name}"
        if f"${{{variable}:-{_default(settings, variable)}}}" not in plan.texts[HEALTH]:
            yield f"{HEALTH}: checks the {name} on another port than {_default(settings, variable)}"


def _addresses(plan: Plan) -> Iterator[str]:
    wanted = _wanted_ports()
    listens = f"--web.listen-address=127.0.0.1:{wanted['prometheus']}"
    for path, text in ((PROCFILE, plan.texts[PROCFILE]), (UNITS, dict(plan.unit("prometheus"))["ExecStart"])):
        if listens not in text:
            yield f"{path}: Prometheus does not listen where the watchdog queries: {listens}"
    for path, hosts in ((PROMETHEUS, ("127.0.0.1", "127.0.0.1")), (COMPOSED_PROMETHEUS, ("server", "watchdog"))):
        scraped = [each["static_configs"][0]["targets"] for each in plan.yaml(path)["scrape_configs"]]
        if scraped != [[f"{hosts[0]}:{wanted['server']}"], [f"{hosts[1]}:{wanted['watchdog']}"]]:
            yield f"{path}: scrapes {scraped}"
    watchdog = _environment_of(plan, "watchdog")
    prometheus = f"http://prometheus:{wanted['prometheus']}"
    if watchdog.get("WINE_SLO_PROMETHEUS_URL") != f"${{WINE_SLO_PROMETHEUS_URL:-{prometheus}}}":
        yield f"the watchdog does not query {prometheus}, unless another is set"
    if plan.yaml(SOURCE)["datasources"][0]["url"] != prometheus:
        yield f"grafana does not query {prometheus}"
    if watchdog.get("WINE_SLO_SERVICE_URL") != f"${{WINE_SLO_SERVICE_URL:-http://server:{wanted['server']}}}":
        yield "the watchdog's drill does not reach the server"
    if f"http://127.0.0.1:{wanted['grafana']}" not in str(watchdog.get("WINE_SLO_GRAFANA_URL")):
        yield "the status page links to no Grafana"


def _environment_of(plan: Plan, service: str) -> dict[str, str | None]:
    environment: dict[str, str | None] = plan.services[service].get("environment", {})
    return environment


def _jobs(plan: Plan) -> Iterator[str]:
    ours, composed = (
        [each["job_name"] for each in plan.yaml(path)["scrape_configs"]] for path in (PROMETHEUS, COMPOSED_PROMETHEUS)
    )
    if ours != composed:
        yield f"the jobs are {ours} here and {composed} under compose"
    for objective in plan.objectives.values():
        if objective.job not in ours:
            yield f"slo.yml: no target has the job {objective.job} of {objective.name}"


def _intervals(plan: Plan) -> Iterator[str]:
    said: dict[str, float] = {
        path: seconds(plan.yaml(path)["global"]["scrape_interval"]) for path in (PROMETHEUS, COMPOSED_PROMETHEUS)
    }
    said[SOURCE] = seconds(plan.yaml(SOURCE)["datasources"][0]["jsonData"]["timeInterval"])
    for name, dashboard in plan.dashboards.items():
        for place, expression in expressions(dashboard):
            said |= {f"{name}: {place}": seconds(step) for step in re.findall(r":(\w+)\]", expression)}
        for annotation in dashboard["annotations"]["list"]:
            said[f"{name}: {annotation['name']}"] = seconds(annotation["step"])
    if len(set(said.values())) > 1:
        yield f"scrape intervals differ: {said}"
    timeouts = {
        path: seconds(plan.yaml(path)["global"]["scrape_timeout"]) for path in (PROMETHEUS, COMPOSED_PROMETHEUS)
    }
    for panel in panels(plan.dashboards["watchdog"]):
        if "scrape_duration_seconds" in panel["targets"][0]["expr"]:
            timeouts["watchdog.json"] = _bounds(panel)[-1]
    if len(set(timeouts.values())) > 1:
        yield f"scrape timeouts differ: {timeouts}"


def _mounted(service: Json) -> dict[str, str]:
    """What is mounted, by where it is."""
    return {inner: source for source, inner, *_ in (volume.split(":") for volume in service.get("volumes", []))}


def _mounts(plan: Plan) -> Iterator[str]:
    compose = plan.yaml(COMPOSE)
    for name, service in plan.services.items():
        for volume in service.get("volumes", []):
            yield from (f"{name}: {problem}" for problem in _mount(volume, compose["volumes"]))
        for secret in service.get("secrets", []):
            if secret not in compose["secrets"]:
                yield f"{name}: there is no secret {secret}"
    used = {source for service in plan.services.values() for source in _mounted(service).values()}
    yield from (f"nothing mounts the volume {volume}" for volume in compose["volumes"].keys() - used)


def _mount(volume: str, volumes: Json) -> Iterator[str]:
    source, _, *mode = volume.split(":")
    if not source.startswith("."):
        if source not in volumes:
            yield f"there is no volume {source}"
    elif not (ROOT / source).exists():
        yield f"{source} is mounted and does not exist"
    elif (ROOT / source).is_file():
        yield f"{source} is mounted by itself: a container keeps the old one when an editor replaces it"
    elif mode != ["ro"]:
        yield f"{source} can be written to"


def _places(plan: Plan) -> Iterator[str]:
    """What a process reads and writes is mounted where it expects it."""
    data = f"/app/{Path(urlsplit(_default(SETTINGS['watchdog'], 'WINE_SLO_DATABASE_URL')).path.lstrip('/')).parent}"
    command = plan.services["prometheus"]["command"]
    wanted = {
        ("watchdog", data): "watchdog",
        ("watchdog", f"/app/{Path(SLO).parent}"): f"./{Path(SLO).parent}",
        ("prometheus", _flag(command, "storage.tsdb.path")): "prometheus",
        ("prometheus", str(Path(_flag(command, "config.file")).parent)): f"./{Path(COMPOSED_PROMETHEUS).parent}",
        ("grafana", plan.yaml(PROVIDER)["providers"][0]["options"]["path"]): "./dashboards",
        ("grafana", "/etc/grafana/provisioning"): "./dashboards/provisioning",
        ("grafana", "/var/lib/grafana"): "grafana",
    }
    for (name, inner), source in wanted.items():
        if _mounted(plan.services[name]).get(inner) != source:
            yield f"{name}: {source} is not mounted at {inner}"
    if not any(data in line for line in plan.last_stage if line.startswith("RUN")):
        yield f"{DOCKERFILE}: makes no {data} for the volume to take its owner from"
    home = Path(str(_environment_of(plan, "grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]))
    if str(home.parent) not in _mounted(plan.services["grafana"]) or home.stem not in plan.dashboards:
        yield f"grafana: its home {home} is no dashboard of ours"


def _flag(command: list[str], name: str) -> str:
    return next((each.partition("=")[2] for each in command if each.startswith(f"--{name}=")), "")


def _history(plan: Plan) -> Iterator[str]:
    longest = max(objective.window.total_seconds() for objective in plan.objectives.values())
    commands = {
        COMPOSE: plan.services["prometheus"]["command"],
        PROCFILE: plan.texts[PROCFILE].split(),
        UNITS: dict(plan.unit("prometheus"))["ExecStart"].split(),
    }
    for path, command in commands.items():
        kept = _flag(command, "storage.tsdb.retention.time")
        if not kept or seconds(kept) < longest:
            yield f"{path}: Prometheus keeps {kept or '15d'}, less than the window of a budget"
        if not _flag(command, "storage.tsdb.retention.size"):
            yield f"{path}: nothing bounds the disk that Prometheus takes"
        for flag in DANGEROUS:
            if flag in command:
                yield f"{path}: {flag} lets whoever sees a dashboard change Prometheus"


def _environment(plan: Plan) -> Iterator[str]:
    for name, settings in SETTINGS.items():
        given = _environment_of(plan, name)
        files = {f"{setting.variable}_FILE" for setting in settings if setting.is_secret}
        known = {setting.variable for setting in settings} | files
        yield from (f"{name}: {variable} is no setting" for variable in given.keys() - known)
        for setting in settings:
            if setting.variable.startswith("WINE_SLO_") and setting.variable not in DECIDED:
                yield from (f"{name}: {problem}" for problem in _passed(setting, plan.services[name]))
    for secret, place in plan.yaml(COMPOSE)["secrets"].items():
        if place != {"file": f"${{WINE_SLO_{secret.upper()}_FILE:-/dev/null}}"}:
            yield f"the secret {secret} comes from {place}"
    known = {setting.variable for settings in SETTINGS.values() for setting in settings}
    for variable in re.findall(r"(WINE_SLO_\w+)=", "\n".join(plan.last_stage)):
        if variable not in known:
            yield f"{DOCKERFILE}: {variable} is no setting"


def _passed(setting: Setting, service: Json) -> Iterator[str]:
    given = service["environment"]
    secret = setting.variable.removeprefix("WINE_SLO_").removesuffix("_FILE").lower()
    file = f"{setting.variable.removesuffix('_FILE')}_FILE"
    is_filed = given.get(file) == f"/run/secrets/{secret}" and secret in service["secrets"]
    value = given.get(setting.variable)
    is_passed = value is None or f"${{{setting.variable}" in value or (file == setting.variable and is_filed)
    if setting.variable not in given:
        yield f"{COMPOSE} does not pass {setting.variable} on"
    elif not is_passed:
        yield f"{setting.variable} of .env is not passed on"
    if setting.is_secret and not is_filed:
        yield f"{setting.variable} cannot come from a file"


def _hardening(plan: Plan) -> Iterator[str]:
    for name, service in plan.services.items():
        wanted = {
            "a read-only root": service.get("read_only") is True,
            "no capabilities": service.get("cap_drop") == ["ALL"] and "cap_add" not in service,
            "no new privileges": "no-new-privileges:true" in service.get("security_opt", []),
            "a user who is not root": str(service.get("user", "0")).partition(":")[0] not in {"0", "root"},
            "a limit of memory": bool(service.get("mem_limit")),
            "logs that are rotated": {"max-size", "max-file"} <= service.get("logging", {}).get("options", {}).keys(),
            "a check of its health": bool(service.get("healthcheck", {}).get("test")),
            "a restart": service.get("restart") == "unless-stopped",
            "a pinned image": service["image"] == "wine-slo" or bool(PINNED.search(service["image"])),
            "its limit of memory without swap": service.get("memswap_limit") == service.get("mem_limit"),
        }
        yield from (f"{name}: lacks {what}" for what, is_so in wanted.items() if not is_so)
        for other in service.get("depends_on", {}):
            yield f"{name}: waits for {other}: what does not start must be seen, and keep nobody from seeing it"


def _limits(plan: Plan) -> Iterator[str]:
    """A process may take as much under compose as under systemd."""
    for name in UNIT_NAMES:
        unit, service = dict(plan.unit(name)), plan.services[name]
        pairs = {
            "memory": (unit.get("MemoryMax", "").lower(), service.get("mem_limit")),
            "processes": (unit.get("TasksMax"), str(service.get("pids_limit"))),
            "seconds to stop": (f"{unit.get('TimeoutStopSec')}s", service.get("stop_grace_period")),
        }
        for what, (ours, composed) in pairs.items():
            if ours != composed:
                yield f"{name}: the limit of {what} is {ours} in the unit and {composed} under compose"
        if unit.get("LimitNOFILE") != "65536":
            yield f"{name}.service: its connections can take every descriptor"
        if unit.get("MemorySwapMax") != "0":
            yield f"{name}.service: swap doubles its limit of memory"


def _alone(plan: Plan) -> Iterator[str]:
    """The watchdog runs beside a Prometheus that is there already, from a folder of any name."""
    compose, watchdog = plan.yaml(COMPOSE), plan.services["watchdog"]
    if compose.get("name") != "wine-slo":
        yield f"{COMPOSE}: the volumes are named after the folder"
    if [name for name, service in plan.services.items() if "build" in service] != ["watchdog"]:
        yield f"{COMPOSE}: the image is not built once, for the watchdog"
    if "host.docker.internal:host-gateway" not in watchdog.get("extra_hosts", []):
        yield "the watchdog does not find this machine"
    if "profiles" in watchdog:
        yield "the watchdog does not start by itself"


def _fault_endpoints(plan: Plan) -> Iterator[str]:
    """Whoever reaches the service cannot make it slow, but where only this machine reaches it."""
    off = "WINE_SLO_SLEEP_ENABLED=false"
    if not any(line.startswith("ENV ") and off in line.split() for line in plan.last_stage):
        yield f"{DOCKERFILE}: /sleep and /fail are on"
    if ("Environment", off) not in plan.unit("server"):
        yield "server.service: /sleep and /fail are on"
    if _environment_of(plan, "server").get("WINE_SLO_SLEEP_ENABLED") != "${WINE_SLO_SLEEP_ENABLED:-true}":
        yield "the drill does not reach /sleep under compose"


def _ignored(plan: Plan) -> Iterator[str]:
    for path in (".gitignore", ".dockerignore"):
        lines = {line.strip("/") for line in plan.texts[path].splitlines()}
        yield from (f"{path}: {each} is not ignored" for each in sorted({".env", "secrets"} - lines))


def _grafana(plan: Plan) -> Iterator[str]:
    given = _environment_of(plan, "grafana")
    for variable, value in QUIET_GRAFANA.items():
        if given.get(variable) != value:
            yield f"grafana: {variable} is not {value}"
    provider, source = plan.yaml(PROVIDER)["providers"][0], plan.yaml(SOURCE)["datasources"][0]
    if provider["allowUiUpdates"] or not provider["disableDeletion"] or provider["type"] != "file":
        yield "grafana: dashboards can be changed"
    if (
        source["editable"]
        or not source["isDefault"]
        or source["type"] != "prometheus"
        or source["jsonData"]["manageAlerts"]
    ):
        yield "grafana: the data source can be changed, is not the default, or manages alerts"


def _image(plan: Plan) -> Iterator[str]:
    version = re.search(r'^version = "(.+)"$', plan.texts["pyproject.toml"], flags=re.MULTILINE)
    wanted = {
        "the version of pyproject.toml": f'image.version="{version[1] if version else ""}"',
        "a title": "org.opencontainers.image.title=",
        "a description": "org.opencontainers.image.description=",
        "a health check": "HEALTHCHECK ",
    }
    text = "\n".join(plan.last_stage)
    yield from (f"{DOCKERFILE}: lacks {what}" for what, part in wanted.items() if part not in text)
    users = [line.split()[1] for line in plan.last_stage if line.startswith("USER ")]
    if not users or users[-1].partition(":")[0] in {"0", "root"}:
        yield f"{DOCKERFILE}: runs as root"
    elif plan.services["server"]["user"] != users[-1]:
        yield f"the user is {users[-1]} in the image and {plan.services['server']['user']} under compose"
    if re.search(r"apt-get|apk add|pip install|gcc|build-essential", text):
        yield f"{DOCKERFILE}: what runs holds what builds"
    stages = re.split(r"^FROM ", "\n".join(plan.image), flags=re.MULTILINE)
    if any("pip " in stage and "compileall" not in stage for stage in stages):
        yield f"{DOCKERFILE}: what is installed is not compiled, so that each start compiles it anew"
    if any(
        "COPY wine_slo" in stage and "install --no-cache-dir --no-compile --require-hashes" in stage for stage in stages
    ):
        yield f"{DOCKERFILE}: libraries and our own code are one layer"
    if "sh /build/trim.sh" not in plan.texts[DOCKERFILE]:
        yield f"{DOCKERFILE}: holds what no process reads"
    if not re.search(r"RUN .*chmod -R u=rwX,go=rX /own$", stages[-2], flags=re.MULTILINE):
        yield f"{DOCKERFILE}: what it copies can be read only where the clone's umask let it"
    if not re.match(r"^ARG PYTHON_IMAGE=python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}$", plan.image[0]):
        yield f"{DOCKERFILE}: its base is not pinned by a digest"
    if any(
        not line.startswith(("FROM ${PYTHON_IMAGE}", "FROM libraries "))
        for line in plan.image
        if line.startswith("FROM ")
    ):
        yield f"{DOCKERFILE}: a stage has another base"
    yield from _installs(plan)


def _installs(plan: Plan) -> Iterator[str]:
    """Whatever pip installs is checked by a hash, the tools that build this project too."""
    commands = {DOCKERFILE: r"\bpip .*?install ([^&\n]+)", MAKEFILE: r"^\t\$\(PIP\) (.+)"}
    for path, command in commands.items():
        text = "\n".join(plan.image) if path == DOCKERFILE else plan.texts[path]
        for arguments in re.findall(command, text, flags=re.MULTILINE):
            if "--require-hashes" not in arguments and not {"--no-deps", "--no-build-isolation"} <= {
                *arguments.split()
            }:
                yield f"{path}: installs what nobody has checked: {arguments.strip()}"
        if "requirements-build.txt" not in text:
            yield f"{path}: does not install what builds this project"
    requires = tomllib.loads(plan.texts["pyproject.toml"])["build-system"]["requires"]
    for name in (re.split(r"\W", each)[0] for each in requires):
        if not re.search(rf"^{name}==", plan.texts["requirements-build.txt"], flags=re.MULTILINE):
            yield f"requirements-build.txt: lacks {name}"


def _copies(plan: Plan) -> Iterator[str]:
    shown = [line[1:] for line in plan.texts[".dockerignore"].splitlines() if line.startswith("!")]
    lines = [line for line in plan.image if line.startswith("COPY ") and "--from" not in line]
    for source in (source for line in lines for source in line.split()[1:-1]):
        if not (ROOT / source).exists():
            yield f"{DOCKERFILE}: {source} is copied and does not exist"
        if not any(source == each or source.startswith(f"{each}/") for each in shown):
            yield f"{DOCKERFILE}: {source} is copied and .dockerignore hides it"


SANDBOX = {
    "ProtectSystem": "strict",
    "NoNewPrivileges": "yes",
    "DynamicUser": "yes",
    "Restart": "always",
    "UMask": "0077",
}


def _units(plan: Plan) -> Iterator[str]:
    for name in UNIT_NAMES:
        unit = dict(plan.unit(name))
        if "ExecReload" in unit and not unit["ExecReload"].startswith("/bin/sh "):
            yield f"{name}.service: a small system has no program {unit['ExecReload'].split()[0]}"
        if name in SETTINGS and unit.get("WorkingDirectory") != "/":
            yield f"{name}.service: reads a .env that lies in {unit.get('WorkingDirectory')}"
        yield from (f"{name}.service: {key} is not {value}" for key, value in SANDBOX.items() if unit.get(key) != value)
        settings = SETTINGS.get(name, [])
        known = {setting.variable for setting in settings} | {f"{each.variable}_FILE" for each in settings}
        text = plan.texts[f"{UNITS}/wine-slo-{name}.service"]
        for variable in re.findall(r"^#?Environment=(WINE_SLO_\w+)=", text, flags=re.MULTILINE):
            if variable not in known:
                yield f"{name}.service: {variable} is no setting"
    watchdog = dict(plan.unit("watchdog"))
    poll = float(_default(SETTINGS["watchdog"], "WINE_SLO_POLL_SECONDS"))
    if watchdog.get("Type") != "notify" or float(watchdog.get("WatchdogSec", 0)) < 3 * poll:
        yield "watchdog.service: systemd does not wait for its signs, or not for three of them"


def _commands(plan: Plan) -> Iterator[str]:
    """The same is started everywhere."""
    for name in SETTINGS:
        started = {
            f"{name}.service": dict(plan.unit(name))["ExecStart"].partition("bin/")[2],
            COMPOSE: " ".join(plan.services[name]["command"]),
            PROCFILE: dict(line.split(": ", 1) for line in plan.texts[PROCFILE].splitlines())[name],
        }
        for path, command in started.items():
            if command != f"python -m wine_slo.{name}":
                yield f"{path}: starts {command} as the {name}"


def _bounds(panel: Json) -> list[float]:
    return [
        step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"] if step["value"] is not None
    ]


def _objectives_shown(plan: Plan) -> Iterator[str]:
    """Lines and numbers of the dashboards are those of slo.yml."""
    for name, dashboard in plan.dashboards.items():
        for panel in panels(dashboard):
            found = (*_latency_lines(panel, plan.objectives["latency"]), *_other_lines(panel, plan.objectives))
            if name == "overview":
                found = (*found, *_same_requests(panel, plan.objectives["latency"]))
            yield from (f"{name}: {panel['title']}: {problem}" for problem in found)


def _latency_lines(panel: Json, objective: Objective) -> Iterator[str]:
    source, quantile = objective.source, f"histogram_quantile({objective.ratio:g},"
    assert isinstance(source, Latency)
    for target in panel["targets"]:
        expression = target["expr"]
        for bound in re.findall(r'request_latency_seconds_bucket\{[^}]*le="([\d.]+)"', expression):
            if float(bound) != source.threshold_seconds:
                yield f"counts what took {bound} s, and the threshold is {source.threshold_seconds:g} s"
        is_objective = quantile in expression and source.histogram in expression
        if (is_objective or "slo_latency_seconds" in expression) and source.threshold_seconds not in _bounds(panel):
            yield f"has no line at the threshold of {source.threshold_seconds:g} s but at {_bounds(panel)}"
        if "p95" in panel["title"] and not is_objective:
            yield f"is not of the objective's quantile, {objective.ratio:g}"


def _same_requests(panel: Json, objective: Objective) -> Iterator[str]:
    source = objective.source
    assert isinstance(source, Latency)
    for target in panel["targets"]:
        counts = any(name in target["expr"] for name in (source.histogram, RESPONSES))
        if counts and source.selector not in target["expr"]:
            yield f"counts others than slo.yml, which says {source.selector}"


def _other_lines(panel: Json, objectives: Mapping[str, Objective]) -> Iterator[str]:
    latency, errors, bounds = objectives["latency"], objectives["errors"], _bounds(panel)
    pages = [burn.factor(latency.window) for burn in latency.burns if burn.alert is Alert.PAGE]
    wanted = {
        "Share answered with 5xx": [errors.allowed_bad_ratio],
        "Answered with 5xx": [errors.allowed_bad_ratio],
        "Answered within 1 s": [latency.ratio],
        "Burn rate": pages,
    }
    for line in wanted.get(panel["title"], []):
        if not any(math.isclose(line, bound) for bound in bounds):
            yield f"has no line at {line:g} but at {bounds}"
