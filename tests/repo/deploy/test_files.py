"""The files by which this is run agree with each other, and each way in which they could not is found."""

import pytest

from tests.repo.deploy.checks import (
    COMPOSE,
    COMPOSED_PROMETHEUS,
    DOCKERFILE,
    HEALTH,
    MAKEFILE,
    PROCFILE,
    PROMETHEUS,
    PROVIDER,
    SLO,
    SOURCE,
    UNITS,
    Plan,
    problems,
)

PLAN = Plan.shipped()
OVERVIEW, WATCHDOG = "dashboards/overview.json", "dashboards/watchdog.json"
WATCHDOG_UNIT = f"{UNITS}/wine-slo-watchdog.service"
MISTAKES = {
    # ports and addresses
    "a port that differs in the list of targets": (PROMETHEUS, "127.0.0.1:8001", "127.0.0.1:8002", "scrapes"),
    "a port that differs under compose": (COMPOSED_PROMETHEUS, "server:8000", "server:8080", "scrapes"),
    "a service that is not there": (COMPOSED_PROMETHEUS, "watchdog:8001", "dog:8001", "scrapes"),
    "a port of the host that differs": (COMPOSE, "PROMETHEUS_PORT:-9090}", "PROMETHEUS_PORT:-9091}", "port 9091:9090"),
    "a port open to everyone": (
        COMPOSE,
        '"127.0.0.1:${WINE_SLO_GRAFANA',
        '"0.0.0.0:${WINE_SLO_GRAFANA',
        "open to other",
    ),
    "health checked on another port": (
        HEALTH,
        "PORT:-8001}",
        "PORT:-8000}",
        "checks the watchdog on another port than 8001",
    ),
    "health of another program": (HEALTH, "]watchdog*)", "]hound*)", "does not know the watchdog"),
    "health that nobody checks": (
        COMPOSE,
        '"/app/health.sh"',
        '"/app/true.sh"',
        "watchdog: its health is not checked by",
    ),
    "an image without a question": (DOCKERFILE, '"/app/health.sh"]', '"/bin/true"]', "HEALTHCHECK does not run"),
    "an image that says another port": (DOCKERFILE, "EXPOSE 8000 8001", "EXPOSE 8000", "EXPOSE"),
    "a Prometheus that listens elsewhere": (PROCFILE, "127.0.0.1:9090", "127.0.0.1:9091", "does not listen where"),
    "a watchdog that queries elsewhere": (COMPOSE, "URL:-http://prometheus:9090", "URL:-http://prom:80", "not query"),
    "a data source elsewhere": (SOURCE, "prometheus:9090", "localhost:9090", "grafana does not query"),
    # names and spans
    "a job of another name": (COMPOSED_PROMETHEUS, "job_name: wine-slo", "job_name: server", "the jobs are"),
    "an objective about a job that is not there": (SLO, "job: wine-slo ", "job: wine ", "no target has the job"),
    "scrapes at another interval": (
        PROMETHEUS,
        "scrape_interval: 5s",
        "scrape_interval: 15s",
        "scrape intervals differ",
    ),
    "a data source that says another interval": (SOURCE, "timeInterval: 5s", "timeInterval: 15s", "intervals differ"),
    "a graph of another interval": (
        OVERVIEW,
        "$__rate_interval:5s]",
        "$__rate_interval:1m]",
        "scrape intervals differ",
    ),
    "a scrape that is given up at another time": (PROMETHEUS, "timeout: 4s", "timeout: 3s", "scrape timeouts differ"),
    "a history shorter than a budget": (COMPOSE, "time=35d", "time=15d", "less than the window of a budget"),
    "no history said": (PROCFILE, "--storage.tsdb.retention.time=35d ", "", "less than the window of a budget"),
    # what is mounted
    "a missing volume": (COMPOSE, "  watchdog:\n  grafana:\n", "  watchdog:\n", "there is no volume grafana"),
    "a volume that nobody mounts": (COMPOSE, "      - watchdog:/app/data\n", "", "nothing mounts the volume watchdog"),
    "a ledger outside of its volume": (COMPOSE, "watchdog:/app/data", "watchdog:/app/db", "not mounted at /app/data"),
    "a mounted file that is not there": (COMPOSE, "./deploy/compose:", "./deploy/prom:", "does not exist"),
    "a file that a container keeps": (COMPOSE, "./deploy/compose:/etc", "./prometheus.yml:/etc", "keeps the old one"),
    "a file of ours that can be written to": (COMPOSE, "./config:/app/config:ro", "./config:/app/config", "written to"),
    "dashboards where Grafana does not read": (PROVIDER, "/etc/grafana/dashboards", "/var/lib/dash", "not mounted at"),
    "a home that is no dashboard": (
        COMPOSE,
        "dashboards/overview.json",
        "dashboards/home.json",
        "no dashboard of ours",
    ),
    "a secret that is not declared": (
        COMPOSE,
        "  heartbeat_url: {file",
        "  heartbeat: {file",
        "no secret heartbeat_url",
    ),
    # settings
    "a misspelt setting": (COMPOSE, "WINE_SLO_TIMEZONE:", "WINE_SLO_TIME_ZONE:", "WINE_SLO_TIME_ZONE is no setting"),
    "a Prometheus that cannot be another": (
        COMPOSE,
        "${WINE_SLO_SERVICE_URL:-http://server:8000}",
        "http://server:8000",
        "WINE_SLO_SERVICE_URL of .env is not passed on",
    ),
    "volumes that another folder does not find": (
        COMPOSE,
        "name: wine-slo ",
        "x-name: wine-slo ",
        "named after the folder",
    ),
    "an image that is built twice": (
        COMPOSE,
        '    command: ["python", "-m", "wine_slo.server"]\n',
        '    command: ["python", "-m", "wine_slo.server"]\n    build: .\n',
        "is not built once",
    ),
    "a host that is not found": (COMPOSE, "host.docker.internal:host-gateway", "host:1", "does not find this machine"),
    "a watchdog that must be chosen": (
        COMPOSE,
        "  watchdog:\n    <<: *app\n",
        "  watchdog:\n    <<: *app\n    profiles: [more]\n",
        "does not start by itself",
    ),
    "a setting that is not passed on": (
        COMPOSE,
        "      WINE_SLO_TIMEZONE:\n",
        "",
        "does not pass WINE_SLO_TIMEZONE on",
    ),
    "a secret without a file": (COMPOSE, "TOKEN_FILE: /run/secrets/", "TOKEN_FILE: /run/", "cannot come from a file"),
    "a setting that the image misspells": (
        DOCKERFILE,
        "WINE_SLO_HOST=",
        "WINE_SLO_BIND=",
        "WINE_SLO_BIND is no setting",
    ),
    "a unit with a misspelt setting": (
        WATCHDOG_UNIT,
        "WINE_SLO_DATABASE_URL",
        "WINE_SLO_DB",
        "WINE_SLO_DB is no setting",
    ),
    # what could be misused
    "a root that can be written to": (COMPOSE, "  read_only: true\n", "", "server: lacks a read-only root"),
    "capabilities": (COMPOSE, "  cap_drop: [ALL]\n", "", "lacks no capabilities"),
    "new privileges": (COMPOSE, '  security_opt: ["no-new-privileges:true"]\n', "", "lacks no new privileges"),
    "root in a container": (COMPOSE, 'user: "472:0"', 'user: "0:0"', "grafana: lacks a user who is not root"),
    "root in the image": (DOCKERFILE, "USER 10001:10001\n", "", "runs as root"),
    "memory without a limit": (COMPOSE, "    mem_limit: 512m\n", "", "watchdog: lacks a limit of memory"),
    "memory that swap doubles": (
        COMPOSE,
        "    memswap_limit: 512m\n",
        "",
        "watchdog: lacks its limit of memory without",
    ),
    "more memory in a unit": (
        WATCHDOG_UNIT,
        "MemoryMax=512M",
        "MemoryMax=1G",
        "watchdog: the limit of memory is 1g in",
    ),
    "more processes in a unit": (WATCHDOG_UNIT, "TasksMax=256", "TasksMax=512", "the limit of processes is 512 in"),
    "less time to stop": (
        COMPOSE,
        "stop_grace_period: 60s",
        "stop_grace_period: 10s",
        "prometheus: the limit of seconds",
    ),
    "descriptors that run out": (WATCHDOG_UNIT, "LimitNOFILE=65536\n", "", "can take every descriptor"),
    "a unit that swaps": (WATCHDOG_UNIT, "MemorySwapMax=0\n", "", "swap doubles its limit"),
    "a disk that fills": (PROCFILE, "--storage.tsdb.retention.size=5GB ", "", "nothing bounds the disk"),
    "an image that strangers can slow down": (
        DOCKERFILE,
        "SLEEP_ENABLED=false",
        "SLEEP_ENABLED=true",
        "Dockerfile: /sleep",
    ),
    "a unit that strangers can slow down": (
        f"{UNITS}/wine-slo-server.service",
        "SLEEP_ENABLED=false",
        "SLEEP_ENABLED=true",
        "server.service: /sleep and /fail are on",
    ),
    "a drill that cannot be": (COMPOSE, "SLEEP_ENABLED:-true", "SLEEP_ENABLED:-false", "does not reach /sleep"),
    "a token that git takes": (".gitignore", "secrets/\n", "", ".gitignore: secrets is not ignored"),
    "a token in the context": (".dockerignore", "secrets\n", "", ".dockerignore: secrets is not ignored"),
    "logs without an end": (COMPOSE, ', options: {max-size: 10m, max-file: "3"}', "", "lacks logs that are rotated"),
    "whatever is newest": (
        COMPOSE,
        "grafana/grafana:13.2.3",
        "grafana/grafana:latest",
        "grafana: lacks a pinned image",
    ),
    "an API to delete with": (COMPOSE, "--log.level=warn", "--web.enable-admin-api", "--web.enable-admin-api lets"),
    "an API to stop it with": (PROCFILE, "--log.level=warn", "--web.enable-lifecycle", "--web.enable-lifecycle lets"),
    "a Grafana for editors": (
        COMPOSE,
        "ORG_ROLE: Viewer",
        "ORG_ROLE: Editor",
        "GF_AUTH_ANONYMOUS_ORG_ROLE is not Viewer",
    ),
    "a Grafana that phones home": (
        COMPOSE,
        'REPORTING_ENABLED: "false"',
        'REPORTING_ENABLED: "true"',
        "REPORTING_ENABLED",
    ),
    "dashboards that can be changed": (PROVIDER, "allowUiUpdates: false", "allowUiUpdates: true", "can be changed"),
    # who waits for whom
    "a Prometheus that waits for the server": (
        COMPOSE,
        "    image: ${PROMETHEUS_IMAGE",
        "    depends_on: {server: {condition: service_healthy}}\n    image: ${PROMETHEUS_IMAGE",
        "prometheus: waits for server",
    ),
    "a watchdog that waits": (
        COMPOSE,
        "    build:\n",
        "    depends_on: {prometheus: {condition: service_started}}\n    build:\n",
        "watchdog: waits for prometheus",
    ),
    # the image and the units
    "a file that the image lacks": (".dockerignore", "!config\n", "", ".dockerignore hides it"),
    "a file that is not there": (
        DOCKERFILE,
        "COPY config",
        "COPY objectives",
        "objectives is copied and does not",
    ),
    "a version of its own": (DOCKERFILE, 'version="0.1.0"', 'version="0.2.0"', "lacks the version of pyproject.toml"),
    "nothing compiled": (DOCKERFILE, "-m compileall -q -j 0", "-m site", "is not compiled"),
    "a compiler in the result": (DOCKERFILE, "RUN useradd", "RUN apt-get install gcc; useradd", "holds what builds"),
    "a volume of root's": (
        DOCKERFILE,
        " && install -d -m 700 -o app -g app /app/data",
        "",
        "for the volume to take its owner from",
    ),
    "a base that moves": (DOCKERFILE, "-bookworm@sha256:a36c", "-bookworm@sha256:", "its base is not pinned"),
    "a stage on another base": (DOCKERFILE, "FROM ${PYTHON_IMAGE}\n", "FROM python:3.11\n", "a stage has another base"),
    "one layer of everything": (
        DOCKERFILE,
        "COPY requirements.txt deploy/image/trim.sh /build/\n",
        "COPY requirements.txt deploy/image/trim.sh /build/\nCOPY wine_slo ./wine_slo\n",
        "are one layer",
    ),
    "what no process reads": (DOCKERFILE, "&& sh /build/trim.sh", "&& echo", "holds what no process reads"),
    "files that only their owner reads": (DOCKERFILE, "&& chmod -R u=rwX,go=rX /own", "&& ls /own", "umask let it"),
    "a library that nobody checked": (
        DOCKERFILE,
        "--require-hashes -r /build/requirements.txt",
        "aiohttp",
        "has checked",
    ),
    "a builder that nobody checked": (DOCKERFILE, "--no-build-isolation ", "", "installs what nobody has checked"),
    "a builder that `make` does not check": (MAKEFILE, "--no-build-isolation ", "", "Makefile: installs what nobody"),
    "a builder that is not locked": ("requirements-build.txt", "hatchling==", "hatch==", "lacks hatchling"),
    "a unit that reads a .env": (
        WATCHDOG_UNIT,
        "WorkingDirectory=/\n",
        "WorkingDirectory=/opt/wine-slo\n",
        "reads a .env",
    ),
    "a unit that cannot be reloaded": (
        WATCHDOG_UNIT,
        "/bin/sh -c 'kill -HUP $MAINPID'",
        "kill -HUP 1",
        "no program kill",
    ),
    "a unit whose files everybody reads": (WATCHDOG_UNIT, "UMask=0077", "UMask=0022", "UMask is not 0077"),
    "another program": (
        PROCFILE,
        "watchdog: python -m wine_slo.watchdog",
        "watchdog: wine-slo watchdog",
        "starts wine-slo",
    ),
    "a unit that waits for no sign": (WATCHDOG_UNIT, "Type=notify", "Type=exec", "does not wait for its signs"),
    "a unit that is too eager": (WATCHDOG_UNIT, "WatchdogSec=120", "WatchdogSec=45", "not for three of them"),
    "a unit without its sandbox": (
        WATCHDOG_UNIT,
        "ProtectSystem=strict",
        "ProtectSystem=no",
        "ProtectSystem is not strict",
    ),
    # objectives
    "another threshold than the line": (
        SLO,
        "threshold: 1s",
        "threshold: 1250ms",
        "has no line at the threshold of 1.25 s",
    ),
    "another share than the line": (SLO, "objective: 0.99\n", "objective: 0.98\n", "has no line at 0.02"),
    "another quantile than the graph": (
        SLO,
        "objective: 0.95 ",
        "objective: 0.9 ",
        "not of the objective's quantile",
    ),
    "other requests than are judged": (SLO, '|unmatched"', '"', "counts others than slo.yml"),
    "a line that has moved": (OVERVIEW, '"value": 14.4', '"value": 15', "Burn rate: has no line at 14.4"),
    "the line of the watchdog's own graph": (
        WATCHDOG,
        '"color": "red",\n                "value": 1\n',
        '"color": "red",\n                "value": 2\n',
        "threshold of 1 s",
    ),
}


def test_the_shipped_files_agree() -> None:
    assert problems(PLAN) == []


@pytest.mark.parametrize(("path", "before", "after", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found(path: str, before: str, after: str, sentence: str) -> None:
    found = problems(PLAN.changed(path, before, after))
    assert any(sentence in problem for problem in found), found
