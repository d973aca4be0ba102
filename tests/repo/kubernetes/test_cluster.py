"""What is applied to a cluster fits together and with the settings, and each way in which it could not is found.

There is no cluster here: kustomize is the real one, the schemas are Kubernetes' own, and what a cluster would do with
the objects is worked out from their rules.
"""

import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.repo.deploy.checks import ROOT
from tests.repo.kubernetes.checks import NAMESPACE, problems
from tests.repo.kubernetes.cluster import FOLDER, OVERLAYS, Cluster
from tests.support.real.prometheus import program
from wine_slo.config import slo_file
from wine_slo.config.environment import read
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.settings import ServerSettings

OWN, SQLITE, OPERATOR, PLAIN = "watchdog-only", "sqlite", "prometheus-operator", "plain-prometheus"
VERSIONS = ("1.27", "1.32", kubernetes_validate.latest_version())  # of Kubernetes; the first is the oldest
OF_OTHERS = {"ServiceMonitor"}  # defined by the Prometheus Operator
TELEGRAM = "  - ports:\n    - port: 443\n      protocol: TCP\n"
MISTAKES = {
    # rights
    "pods that are not restricted": (OWN, "enforce: restricted", "enforce: baseline", "does not enforce restricted"),
    "another namespace": (
        OWN,
        "name: watchdog\n  namespace: wine-slo",
        "name: watchdog\n  namespace: default",
        "in another",
    ),
    "a token of the cluster": (OWN, "automountServiceAccountToken: false", "hostUsers: true", "has a token of the"),
    "an account": (OPERATOR, "kind: ServiceMonitor", "kind: ServiceAccount", "there is a ServiceAccount"),
    "the network of the machine": (OWN, "enableServiceLinks: false", "hostNetwork: true", "has hostNetwork"),
    "a folder of the machine": (
        OWN,
        "emptyDir:\n          sizeLimit: 32Mi",
        "hostPath:\n          path: /",
        "is a hostPath",
    ),
    "a user who is root": (OWN, "runAsNonRoot: true", "runAsNonRoot: false", "lacks no user who is root"),
    "a user of no number": (PLAIN, "runAsUser: 65534", "fsGroupChangePolicy: Always", "lacks a numeric user"),
    "no seccomp": (OWN, "type: RuntimeDefault", "type: Unconfined", "lacks a profile of seccomp"),
    "privileges": (OWN, "allowPrivilegeEscalation: false", "privileged: true", "lacks no privileges"),
    "escalation": (OWN, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "lacks no escalation"),
    "capabilities": (
        OWN,
        "            drop:\n            - ALL",
        "            drop: [NET_RAW]",
        "lacks no capabilities",
    ),
    "a root that can be written to": (OWN, "readOnlyRootFilesystem: true", "runAsGroup: 10001", "lacks a read-only"),
    "a port of the machine": (
        OWN,
        "containerPort: 8001",
        "containerPort: 8001\n          hostPort: 8001",
        "takes a port",
    ),
    # images
    "whatever image is the latest": (OWN, "wine-slo:0.1.0", "wine-slo:latest", "runs ghcr.io/wine-slo/wine-slo:latest"),
    "another Prometheus than under compose": (
        PLAIN,
        "prometheus:v3.13.4",
        "prometheus:v3.12.0",
        "runs prom/prometheus",
    ),
    "another user than the image's": (OWN, "runAsUser: 10001", "runAsUser: 10002", "runs as another user"),
    # settings
    "a misspelt setting": (OWN, "name: WINE_SLO_STANDBY", "name: WINE_SLO_STAND_BY", "WINE_SLO_STAND_BY is no setting"),
    "a misspelt setting of a file": (OWN, "  WINE_SLO_TIMEZONE:", "  WINE_SLO_ZONE:", "WINE_SLO_ZONE is no setting"),
    "a secret in a Deployment": (
        OWN,
        "name: WINE_SLO_TELEGRAM_TOKEN_FILE\n          value: /etc/wine-slo/secrets/telegram_token",
        "name: WINE_SLO_TELEGRAM_TOKEN\n          value: 123:abc",
        "WINE_SLO_TELEGRAM_TOKEN stands in the Deployment",
    ),
    "a secret in a ConfigMap": (
        OWN,
        "  WINE_SLO_LOG_FORMAT: json",
        "  WINE_SLO_API_TOKEN: abc",
        "stands in a ConfigMap",
    ),
    "a file that is not mounted": (OWN, "secrets/telegram_token", "secrets/token", "nothing is mounted at"),
    "a key that is not there": (OWN, "  watchdog_password: ", "  password: ", "nothing is mounted at"),
    "a Secret that is not there": (OWN, "secretName: watchdog", "secretName: bot", "there is no bot"),
    "a claim that is not there": (SQLITE, "claimName: ledger", "claimName: data", "there is no claim data"),
    "a claim that nobody mounts": (SQLITE, "claimName: ledger", "claimName: data", "nothing mounts the claim ledger"),
    # mounts
    "a volume that is not mounted": (OWN, "        - mountPath: /tmp\n          name: tmp\n", "", "does not mount tmp"),
    "a mount of no volume": (OWN, "          name: tmp\n", "          name: temp\n", "mounts temp, which is no volume"),
    "settings that can be written to": (OWN, "          readOnly: true\n", "", "can be written to"),
    "a secret that is never rotated": (
        OWN,
        "          readOnly: true\n",
        "          readOnly: true\n          subPath: x\n",
        "stays the old",
    ),
    "a folder without a bound": (OWN, "emptyDir:\n          sizeLimit: 32Mi", "emptyDir: {}", "can fill the machine"),
    "a secret that others read": (OWN, "defaultMode: 288", "defaultMode: 420", "others may read"),
    "a secret that nobody can read": (OWN, "        fsGroup: 10001\n", "", "its user cannot read"),
    # selectors and ports
    "a Service of no pod": (
        OPERATOR,
        "selector:\n    app.kubernetes.io/name: server",
        "selector:\n    app.kubernetes.io/name: wine",
        "Service server: selects 0",
    ),
    "a Service of everybody": (OPERATOR, "selector:\n    app.kubernetes.io/name: server", "selector: {}", "selects 2"),
    "a budget of no pod": (
        OWN,
        "watchdog\n  unhealthyPod",
        "hound\n  unhealthyPod",
        "PodDisruptionBudget watchdog: selects 0",
    ),
    "pods without their labels": (
        OWN,
        "      labels:\n        app.kubernetes.io/name: watchdog\n    spec",
        "      labels:\n        app: watchdog\n    spec",
        "selects other pods",
    ),
    "others that are spread": (
        OWN,
        "          app.kubernetes.io/name: watchdog\n        matchLabelKeys",
        "          app: watchdog\n        matchLabelKeys",
        "spreads other pods over",
    ),
    "another port of the process": (
        OWN,
        "containerPort: 8001",
        "containerPort: 8000",
        "does not say that it listens at 8001",
    ),
    "a probe of no port": (
        OWN,
        "            port: http\n          periodSeconds",
        "            port: web\n          periodSeconds",
        "for a port that it does not have",
    ),
    "a Service of no port": (OWN, "targetPort: http", "targetPort: web", "has no port web"),
    "a Service at another port": (OWN, "    port: 8001\n", "    port: 80\n", "is found at 80"),
    # probes
    "an endpoint that is not there": (OWN, "path: /alive", "path: /healthz", "/healthz, which is no endpoint"),
    "a restart for what it does not mend": (OWN, "path: /alive", "path: /health", "which a restart does not mend"),
    "a restart of a server without a model": (
        OPERATOR,
        "path: /metrics",
        "path: /health",
        "which a restart does not mend",
    ),
    "a readiness that says nothing": (OWN, "path: /health", "path: /alive", "knows nothing of its health"),
    "a probe that is refused": (OWN, "value: localhost", "value: watchdog", "is refused where"),
    "a busy machine": (OWN, "failureThreshold: 6\n", "failureThreshold: 1\n", "is ended within"),
    "no probe at the start": (OWN, "startupProbe:", "x-startupProbe:", "has no startupProbe"),
    # limits
    "more memory than under compose": (OWN, "memory: 512Mi", "memory: 1Gi", "the limit of memory is 1Gi"),
    "no requests": (
        OWN,
        "requests:\n            cpu: 50m",
        "requests:\n            x: 50m",
        "does not say what it needs",
    ),
    "a throttled watchdog": (OWN, "limits:\n", "limits:\n            cpu: 50m\n", "renews no lease"),
    "too little time to end": (OWN, "PeriodSeconds: 15", "PeriodSeconds: 5", "has 5 s to end, and needs 15"),
    "too little time to end after a pause": (OPERATOR, "PeriodSeconds: 20", "PeriodSeconds: 15", "server: has 15 s"),
    # disruptions and scaling
    "a drain that is blocked": (
        OWN,
        "  maxUnavailable: 1\n  selector",
        "  minAvailable: 2\n  selector",
        "can block a drain",
    ),
    "a drain that waits for Telegram": (OWN, "AlwaysAllow", "IfHealthyBudget", "one that is not ready blocks a drain"),
    "a budget of one": (OWN, "replicas: 2", "replicas: 1", "has 1 pods and a disruption budget"),
    "a scaler of nothing": (
        OPERATOR,
        "    kind: Deployment\n    name: server",
        "    kind: Deployment\n    name: wine",
        "there is no wine",
    ),
    "scaling that each apply takes back": (
        OPERATOR,
        "spec:\n  revisionHistoryLimit: 3\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: server",
        "spec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: server",
        "takes back what was scaled",
    ),
    "a scaler that cannot scale": (OPERATOR, "maxReplicas: 6", "maxReplicas: 2", "goes from 2 to 2"),
    "a share of nothing": (OPERATOR, "name: cpu\n", "name: gpu\n", "of what server does not request"),
    "more watchdogs": (
        OPERATOR,
        "    kind: Deployment\n    name: server",
        "    kind: Deployment\n    name: watchdog",
        "lead no better",
    ),
    # two watchdogs
    "two that do not take turns": (
        OWN,
        'name: WINE_SLO_STANDBY\n          value: "true"',
        'name: WINE_SLO_STANDBY\n          value: "false"',
        "do not take turns",
    ),
    "two on one machine": (
        OWN,
        "whenUnsatisfiable: DoNotSchedule",
        "whenUnsatisfiable: ScheduleAnyway",
        "on two machines",
    ),
    "a drain without a place": (
        OWN,
        "nodeTaintsPolicy: Honor",
        "nodeTaintsPolicy: Ignore",
        "a machine that is drained",
    ),
    "two on one machine after a rollout": (
        OWN,
        "        matchLabelKeys:\n        - pod-template-hash\n",
        "",
        "after a rollout",
    ),
    "two in one zone": (OWN, "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "in two zones"),
    "a gap in a rollout": (OWN, "maxUnavailable: 0", "maxUnavailable: 1", "hand over to a new one"),
    "a ledger outside of its volume": (SQLITE, "mountPath: /app/data", "mountPath: /app/db", "is not on the volume"),
    "two that want one volume": (
        SQLITE,
        "type: Recreate",
        "type: RollingUpdate",
        "a second watchdog waits for a volume",
    ),
    # scrapes
    "a job of another name": (OPERATOR, "replacement: wine-slo", "replacement: server", "the jobs are"),
    "a job of another name in a file": (PLAIN, "job_name: wine-slo", "job_name: server", "the jobs are"),
    "a monitor without a password": (OPERATOR, "key: watchdog_password", "key: password", "logs in by"),
    "a monitor of no Service": (
        OPERATOR,
        "    matchLabels:\n      app.kubernetes.io/name: server\n---\napiVersion: monitoring",
        "    matchLabels:\n      app: server\n---\napiVersion: monitoring",
        "selects 0 Services",
    ),
    "a monitor of no port": (
        OPERATOR,
        "    port: http\n    relabelings",
        "    port: web\n    relabelings",
        "has no port web",
    ),
    "one pod of several": (PLAIN, "names: [server-pods.", "names: [server.", "does not name each pod"),
    "pods of another namespace": (PLAIN, "watchdog.wine-slo.svc", "watchdog.slo.svc", "is in another namespace"),
    # networks
    "nothing that is denied": (
        OWN,
        "  podSelector: {}\n  policyTypes:\n  - Ingress\n",
        "  podSelector: {}\n  policyTypes:\n",
        "is not denied",
    ),
    "anybody": (
        OWN,
        TELEGRAM + "    to:\n",
        TELEGRAM + "    x-to:\n",
        "allowed and not needed: watchdog to anybody at TCP 443",
    ),
    "every port": (
        OWN,
        "  - ports:\n    - port: 443\n      protocol: TCP\n    to",
        "  - to",
        "watchdog to internet at TCP any port",
    ),
    "addresses inside": (OWN, "        - 10.0.0.0/8\n", "", "watchdog to 0.0.0.0/0 at TCP 443"),
    "no Telegram": (OWN, "port: 443", "port: 8443", "is needed and not allowed: watchdog to internet at TCP 443"),
    "no names": (
        OWN,
        "port: 53\n      protocol: UDP",
        "port: 54\n      protocol: UDP",
        "watchdog to kube-system at UDP 53",
    ),
    "no Prometheus": (
        OWN,
        "    - port: 9090\n",
        "    - port: 9091\n",
        "is needed and not allowed: watchdog to monitoring",
    ),
    "another Prometheus": (OWN, "monitoring.svc:9090", "metrics.svc:9090", "watchdog to metrics at TCP 9090"),
    "a Prometheus of this namespace": (PLAIN, "http://prometheus:9090", "http://prometheus:9091", "TCP 9091"),
    "no database": (OWN, "port: 5432", "port: 5433", "is needed and not allowed: watchdog to database at TCP 5432"),
    "a database that is not used": (SQLITE, "port: 443", "port: 5432", "allowed and not needed: watchdog to internet"),
    "nobody who scrapes": (
        OWN,
        "    - port: 8001\n      protocol",
        "    - port: 8002\n      protocol",
        "watchdog from monitoring",
    ),
    "no drill": (
        OPERATOR,
        "WINE_SLO_SERVICE_URL: http://server:8000",
        "WINE_SLO_SERVICE_URL: http://server:80",
        "TCP 80",
    ),
    "no users": (
        OPERATOR,
        "name: ingress-nginx",
        "name: ingress",
        "is needed and not allowed: server from ingress-nginx",
    ),
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_fits_together(overlay: str) -> None:
    assert problems(Cluster.of(overlay)) == []


@pytest.mark.parametrize(("overlay", "before", "after", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_found(overlay: str, before: str, after: str, said: str) -> None:
    found = problems(Cluster.of(overlay).changed(before, after))
    assert any(said in problem for problem in found), found


def test_every_overlay_is_there() -> None:
    assert sorted((OWN, SQLITE, OPERATOR, PLAIN)) == OVERLAYS


def test_kubernetes_takes_every_object() -> None:
    """Those of the base are in several overlays, and are validated once."""
    objects = {str(each): each for overlay in OVERLAYS for each in Cluster.of(overlay).objects}
    for each in objects.values():
        for version in VERSIONS if each["kind"] not in OF_OTHERS else ():
            kubernetes_validate.validate(each, version, strict=True)


def test_kubernetes_refuses_a_misspelt_field() -> None:
    wrong = Cluster.of(OWN).changed("terminationGracePeriodSeconds", "terminationGraceSeconds")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong.kind("Deployment")["watchdog"], VERSIONS[0], strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_processes_take_the_settings_of_their_pods(
    overlay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster.of(overlay)
    for pod in (each for each in cluster.pods if each.process):
        files = cluster.files(pod)
        for path, text in files.items():
            place = tmp_path / path.removeprefix("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        with monkeypatch.context() as environment:
            for name, value in cluster.environment(pod).items():
                environment.setenv(name, f"{tmp_path}{value}" if value in files else value)
            if pod.process == "server":
                assert bool(read(ServerSettings).sleep_enabled) == (overlay == PLAIN)  # where no stranger reaches it
                continue
            settings = read(WatchdogSettings)
        assert settings.watchdog_password, "it would not start"
        assert settings.standby == (overlay not in (SQLITE, PLAIN))
        slo_file.parse(Path(settings.objectives).read_text()).objectives()


def test_prometheus_reads_its_configuration(tmp_path: Path) -> None:
    text = (FOLDER / "overlays" / PLAIN / "prometheus.yml").read_text()
    password = tmp_path / "password"
    password.write_text("one")
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace("/etc/wine-slo/secrets/watchdog_password", str(password)))
    checked = subprocess.run(
        [program("promtool"), "check", "config", str(file)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_no_secret_is_kept_and_every_key_has_an_example() -> None:
    kept = subprocess.run(
        ["git", "check-ignore", "deploy/kubernetes/site/secrets/watchdog.env"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert kept.returncode == 0
    example = Cluster.of(OWN).data("Secret", "watchdog")
    assert {key for key, value in example.items() if value} == {"database_url", "watchdog_password"}
    assert "PASSWORD" in example["database_url"]


def test_the_page_makes_a_resource_of_the_rules() -> None:
    page = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text()
    (command,) = [block for block in page.split("```") if "PrometheusRule" in block and "kubectl apply -f -" in block]
    made = subprocess.run(
        ["sh", "-c", command.replace("| kubectl apply -f -", "")],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=True,
    )
    resource = yaml.safe_load(made.stdout)
    assert (resource["kind"], resource["metadata"]["namespace"]) == ("PrometheusRule", NAMESPACE)
    assert resource["spec"] == yaml.safe_load((ROOT / "deploy" / "rules" / "watchdog.yml").read_text())


def test_the_page_names_each_overlay_and_none_that_is_not_there() -> None:
    page = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text()
    assert sorted(set(re.findall(r"overlays/([a-z-]+)", page)) | set(OVERLAYS)) == OVERLAYS
    assert [each for each in OVERLAYS if f"| `{each}` |" not in page] == []


def test_an_overlay_elsewhere_is_written_as_the_page_has_it(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text()
    (block,) = [each for each in page.split("```yaml")[1:] if "configMapGenerator" in each]
    base, own = tmp_path / "kubernetes", tmp_path / "own"
    shutil.copytree(FOLDER, base, ignore=shutil.ignore_patterns("secrets"))
    own.mkdir()
    text = re.sub(
        r"https://[^/]+/[^/]+/[^/]+//deploy/kubernetes/(\w+)\?ref=v[\d.]+",
        r"../kubernetes/\1",
        block.partition("```")[0],
    )
    (own / "kustomization.yaml").write_text(text)
    for name in ("settings.env", "slo.yml"):
        shutil.copyfile(base / "overlays" / OWN / name, own / name)
    command = [program("kubectl"), "kustomize", str(own)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    theirs, ours = Cluster(made.stdout), Cluster.of(OWN)
    assert theirs.kind("Deployment") == ours.kind("Deployment")
    assert theirs.kind("NetworkPolicy") == ours.kind("NetworkPolicy")
