"""What can be wrong with the objects of an overlay; each check returns sentences, none where they agree."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import yaml

from tests.repo.deploy.checks import SETTINGS, Plan
from tests.repo.kubernetes.cluster import Cluster, Json, Pod
from tests.repo.kubernetes.networks import network_problems
from tools.reference.processes import SERVER, watchdog
from wine_slo.service.app import routes_of

NAMESPACE = "wine-slo"
IMAGE = "ghcr.io/wine-slo/wine-slo"
SAFE_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")
RIGHTS = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ServiceAccount"}
PORTS = {"server": "WINE_SLO_PORT", "watchdog": "WINE_SLO_WATCHDOG_PORT"}
PLAN = Plan.shipped()


def problems(cluster: Cluster) -> list[str]:
    """Everything that does not fit together; where something is named that is not there, that alone."""
    if lost := [*_references(cluster)]:
        return lost
    checks: tuple[Callable[[Cluster], Iterator[str]], ...] = (
        _namespaces,
        _rights,
        _restricted,
        _images,
        _settings,
        _mounts,
        _selectors,
        _ports,
        _services,
        _probes,
        _limits,
        _disruptions,
        _scaling,
        _standby,
        _scrapes,
        network_problems,
    )
    return [problem for check in checks for problem in check(cluster)]


def _namespaces(cluster: Cluster) -> Iterator[str]:
    for each in cluster.objects:
        if each["kind"] != "Namespace" and each["metadata"].get("namespace") != NAMESPACE:
            yield f"{each['kind']} {each['metadata']['name']}: is in another namespace"
    labels = cluster.kind("Namespace").get(NAMESPACE, {}).get("metadata", {}).get("labels", {})
    for mode in ("enforce", "audit", "warn"):
        if labels.get(f"pod-security.kubernetes.io/{mode}") != "restricted":
            yield f"the namespace does not {mode} restricted pods"


def _rights(cluster: Cluster) -> Iterator[str]:
    for kind in sorted(RIGHTS & {each["kind"] for each in cluster.objects}):
        yield f"there is a {kind}: nothing here calls the API of the cluster"
    for pod in cluster.pods:
        if pod.spec.get("automountServiceAccountToken") is not False or "serviceAccountName" in pod.spec:
            yield f"{pod.name}: has a token of the cluster"
        if any("projected" in volume for _, volume in pod.mounts):
            yield f"{pod.name}: mounts a token of the cluster"


def _restricted(cluster: Cluster) -> Iterator[str]:
    """The rules of the profile `restricted` of Kubernetes' Pod Security Standards, and a root that is read-only."""
    for pod in cluster.pods:
        spec, common = pod.spec, pod.spec.get("securityContext", {})
        containers = [*spec["containers"], *spec.get("initContainers", [])]
        yield from (f"{pod.name}: has {each}" for each in HOST if spec.get(each))
        for volume in spec.get("volumes", []):
            yield from (f"{pod.name}: a volume is a {kind}" for kind in volume.keys() - {"name", *SAFE_VOLUMES})
        for own in (each.get("securityContext", {}) for each in containers):
            context = common | own
            wanted = {
                "no user who is root": context.get("runAsNonRoot") is True,
                "a numeric user, as a name proves nothing": int(context.get("runAsUser", 0)) > 0,
                "a profile of seccomp": context.get("seccompProfile", {}).get("type") == "RuntimeDefault",
                "no escalation of privileges": own.get("allowPrivilegeEscalation") is False,
                "no capabilities": own.get("capabilities") == {"drop": ["ALL"]},
                "a read-only root": own.get("readOnlyRootFilesystem") is True,
                "no privileges": not own.get("privileged"),
                "nothing unusual": not context.keys() & {"procMount", "sysctls", "seLinuxOptions", "windowsOptions"},
            }
            yield from (f"{pod.name}: lacks {what}" for what, is_so in wanted.items() if not is_so)
        for port in (port for each in containers for port in each.get("ports", [])):
            if "hostPort" in port:
                yield f"{pod.name}: takes a port of the machine"


def _images(cluster: Cluster) -> Iterator[str]:
    version = re.search(r'^version = "(.+)"$', PLAN.texts["pyproject.toml"], flags=re.MULTILINE)
    ours = f"{IMAGE}:{version[1] if version else ''}"
    theirs = str(PLAN.services["prometheus"]["image"]).partition(":-")[2].removesuffix("}")
    user = int(str(PLAN.services["watchdog"]["user"]).partition(":")[0])
    for pod in cluster.pods:
        wanted = ours if pod.process else theirs
        if pod.container["image"] != wanted:
            yield f"{pod.name}: runs {pod.container['image']} instead of {wanted}"
        if pod.process and pod.spec.get("securityContext", {}).get("runAsUser") != user:
            yield f"{pod.name}: runs as another user than the image's, {user}"


def _settings(cluster: Cluster) -> Iterator[str]:
    for pod in cluster.pods:
        if not pod.process:
            continue
        known = {name for setting in SETTINGS[pod.process] for name in setting.variables}
        for variable, value in cluster.environment(pod).items():
            if variable not in known:
                yield f"{pod.name}: {variable} is no setting"
            if variable.endswith("_FILE") and value not in cluster.files(pod):
                yield f"{pod.name}: nothing is mounted at {value} for {variable}"
        in_clear = {each["name"] for each in pod.container.get("env", []) if "value" in each}
        secret = {setting.variable for setting in SETTINGS[pod.process] if setting.is_secret}
        yield from (f"{pod.name}: {each} stands in the Deployment" for each in sorted(in_clear & secret))
        for name in (each["configMapRef"]["name"] for each in pod.container.get("envFrom", [])):
            for each in sorted(secret & cluster.data("ConfigMap", name).keys()):
                yield f"{pod.name}: {each} stands in a ConfigMap"


def _references(cluster: Cluster) -> Iterator[str]:
    claims = cluster.kind("PersistentVolumeClaim")
    used: set[str] = set()
    for pod in cluster.pods:
        for volume in pod.spec.get("volumes", []):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim:
                used.add(claim)
            if claim and claim not in claims:
                yield f"{pod.name}: there is no claim {claim}"
        try:
            cluster.environment(pod), cluster.files(pod)
        except KeyError as error:
            yield f"{pod.name}: there is no {error.args[0]}"
    yield from (f"nothing mounts the claim {each}" for each in sorted(claims.keys() - used))


def _mounts(cluster: Cluster) -> Iterator[str]:
    for pod in cluster.pods:
        mounted = {mount["name"] for mount, _ in pod.mounts}
        named = {volume["name"] for volume in pod.spec.get("volumes", [])}
        yield from (f"{pod.name}: mounts {each}, which is no volume" for each in sorted(mounted - named))
        yield from (f"{pod.name}: does not mount {each}" for each in sorted(named - mounted))
        for mount, volume in pod.mounts:
            is_ours = "configMap" in volume or "secret" in volume
            if is_ours and not mount.get("readOnly"):
                yield f"{pod.name}: {mount['mountPath']} can be written to"
            if is_ours and "subPath" in mount:
                yield f"{pod.name}: {mount['mountPath']} stays the old one when it is rotated"
            if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
                yield f"{pod.name}: {mount['mountPath']} can fill the machine"
            secret = volume.get("secret")
            if secret and secret.get("defaultMode") != 0o440:
                yield f"{pod.name}: others may read {mount['mountPath']}"
            if secret and "fsGroup" not in pod.spec.get("securityContext", {}):
                yield f"{pod.name}: its user cannot read {mount['mountPath']}"


def _selectors(cluster: Cluster) -> Iterator[str]:
    for pod in cluster.pods:
        own = pod.deployment["spec"]["selector"]["matchLabels"]
        if not own.items() <= pod.labels.items():
            yield f"Deployment {pod.name}: selects other pods than its own"
        if cluster.selected(own) != [pod]:
            yield f"Deployment {pod.name}: selects pods of another one"
        for spread in pod.spec.get("topologySpreadConstraints", []):
            if cluster.selected(spread["labelSelector"]["matchLabels"]) != [pod]:
                yield f"{pod.name}: spreads other pods over {spread['topologyKey']}"
    for kind, name, labels in _selections(cluster):
        if len(cluster.selected(labels)) != 1:
            yield f"{kind} {name}: selects {len(cluster.selected(labels))} Deployments"


def _selections(cluster: Cluster) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield what selects the pods of one Deployment, and by which labels."""
    for name, each in cluster.kind("Service").items():
        yield "Service", name, each["spec"]["selector"]
    for name, each in cluster.kind("PodDisruptionBudget").items():
        yield "PodDisruptionBudget", name, each["spec"]["selector"]["matchLabels"]
    for name, each in cluster.kind("NetworkPolicy").items():
        if labels := each["spec"]["podSelector"].get("matchLabels"):  # the one that denies is of all pods
            yield "NetworkPolicy", name, labels


def _ports(cluster: Cluster) -> Iterator[str]:
    for pod in cluster.pods:
        if pod.process:
            wanted = next(each.default for each in SETTINGS[pod.process] if each.variable == PORTS[pod.process])
            if [str(each["containerPort"]) for each in pod.container["ports"]] != [wanted]:
                yield f"{pod.name}: does not say that it listens at {wanted}"
        for kind, probe in pod.probes.items():
            if not pod.has_port(probe["httpGet"]["port"]):
                yield f"{pod.name}: its {kind} is for a port that it does not have"


def _services(cluster: Cluster) -> Iterator[str]:
    for name, service in cluster.kind("Service").items():
        for port in service["spec"]["ports"]:
            for pod in cluster.selected(service["spec"]["selector"]):
                if not pod.has_port(port["targetPort"]):
                    yield f"Service {name}: {pod.name} has no port {port['targetPort']}"
                if not pod.has_port(port["port"]):
                    yield f"Service {name}: is found at {port['port']}, and {pod.name} is not"


def _probes(cluster: Cluster) -> Iterator[str]:
    routes = {"server": routes_of(SERVER), "watchdog": watchdog().ticker.routes()}
    for pod in cluster.pods:
        yield from (f"{pod.name}: has no {each}" for each in _PROBES if each not in pod.probes)
        if not pod.process:
            continue
        for kind, probe in pod.probes.items():
            request = probe["httpGet"]
            route = routes[pod.process].get(request["path"])
            if route is None:
                yield f"{pod.name}: its {kind} requests {request['path']}, which is no endpoint"
            elif kind != "readinessProbe" and set(route.statuses) != {200}:
                yield f"{pod.name}: its {kind} ends it for {request['path']}, which a restart does not mend"
            elif kind == "readinessProbe" and 503 not in route.statuses:
                yield f"{pod.name}: its {kind} requests {request['path']}, which knows nothing of its health"
            if {"name": "Host", "value": "localhost"} not in request.get("httpHeaders", []):
                yield f"{pod.name}: its {kind} is refused where WINE_SLO_ALLOWED_HOSTS is set"
        liveness = pod.probes.get("livenessProbe", {})
        if liveness.get("periodSeconds", 10) * liveness.get("failureThreshold", 3) < LONGEST_STALL:
            yield f"{pod.name}: is ended within {LONGEST_STALL} s, which one on a busy machine may stand still"


_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
LONGEST_STALL = 60  # seconds


def _limits(cluster: Cluster) -> Iterator[str]:
    """A process may take as much as under compose."""
    for pod in cluster.pods:
        service = PLAN.services[pod.name]
        resources = pod.container.get("resources", {})
        requests, limits = resources.get("requests", {}), resources.get("limits", {})
        composed = str(service["mem_limit"]).replace("m", "Mi").replace("g", "Gi")
        if limits.get("memory") != composed:
            yield f"{pod.name}: the limit of memory is {limits.get('memory')}, and {composed} under compose"
        if {"cpu", "memory", "ephemeral-storage"} - requests.keys():
            yield f"{pod.name}: does not say what it needs"
        if "cpu" in limits:
            yield f"{pod.name}: is throttled, and then renews no lease"
        before = pod.container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])
        given = pod.spec.get("terminationGracePeriodSeconds", 30)
        wanted = seconds_of(service, pod.name) + int(before[-1])
        if given < wanted:
            yield f"{pod.name}: has {given} s to end, and needs {wanted}"


def seconds_of(service: Json, name: str) -> int:
    """Return how long a process has to stop under compose, where it is said; else by its unit."""
    said = service.get("stop_grace_period") or f"{dict(PLAN.unit(name))['TimeoutStopSec']}s"
    return int(str(said).removesuffix("s"))


def _disruptions(cluster: Cluster) -> Iterator[str]:
    """A drained machine takes one of several away, and waits for nothing that does not come by itself."""
    budgets = cluster.kind("PodDisruptionBudget")
    for name, budget in budgets.items():
        spec = budget["spec"]
        if spec.get("maxUnavailable") != 1 or "minAvailable" in spec:
            yield f"PodDisruptionBudget {name}: can block a drain"
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"PodDisruptionBudget {name}: one that is not ready blocks a drain"
    for pod in cluster.pods:
        has_budget = any(pod in cluster.selected(each["spec"]["selector"]["matchLabels"]) for each in budgets.values())
        if has_budget != (_replicas(cluster, pod) > 1):
            yield f"{pod.name}: has {_replicas(cluster, pod)} pods and {'a' if has_budget else 'no'} disruption budget"


def _replicas(cluster: Cluster, pod: Pod) -> int:
    """Return how many pods there are at least."""
    for scaler in cluster.kind("HorizontalPodAutoscaler").values():
        if scaler["spec"]["scaleTargetRef"]["name"] == pod.name:
            return int(scaler["spec"]["minReplicas"])
    return int(pod.deployment["spec"].get("replicas", 1))


def _scaling(cluster: Cluster) -> Iterator[str]:
    pods = {pod.name: pod for pod in cluster.pods}
    for name, scaler in cluster.kind("HorizontalPodAutoscaler").items():
        spec = scaler["spec"]
        pod = pods.get(spec["scaleTargetRef"]["name"])
        if pod is None:
            yield f"HorizontalPodAutoscaler {name}: there is no {spec['scaleTargetRef']['name']}"
            continue
        if "replicas" in pod.deployment["spec"]:
            yield f"{pod.name}: each apply takes back what was scaled"
        if pod.process == "watchdog":
            yield "more than two watchdogs lead no better"
        if not 2 <= spec["minReplicas"] < spec["maxReplicas"]:
            yield f"HorizontalPodAutoscaler {name}: goes from {spec['minReplicas']} to {spec['maxReplicas']}"
        measured = {each["resource"]["name"] for each in spec["metrics"]}
        if measured - pod.container["resources"]["requests"].keys():
            yield f"HorizontalPodAutoscaler {name}: measures shares of what {pod.name} does not request"


def _standby(cluster: Cluster) -> Iterator[str]:
    """Several watchdogs share a database and take turns; one alone has a volume that no second one mounts."""
    (pod,) = [each for each in cluster.pods if each.process == "watchdog"]
    environment, strategy = cluster.environment(pod), pod.deployment["spec"]["strategy"]
    url = urlsplit(environment["WINE_SLO_DATABASE_URL"])
    if _replicas(cluster, pod) > 1:
        spreads = {each["topologyKey"]: each for each in pod.spec.get("topologySpreadConstraints", [])}
        hosts = spreads.get("kubernetes.io/hostname", {})
        wanted = {
            "take turns": environment.get("WINE_SLO_STANDBY") == "true",
            "share a PostgreSQL": url.scheme == "postgresql+psycopg",
            "stand on two machines": hosts.get("whenUnsatisfiable") == "DoNotSchedule",
            "move away from a machine that is drained": hosts.get("nodeTaintsPolicy") == "Honor",
            "stand on two machines after a rollout, too": hosts.get("matchLabelKeys") == ["pod-template-hash"],
            "stand in two zones": "topology.kubernetes.io/zone" in spreads,
            "hand over to a new one that is ready": strategy
            == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        }
        yield from (f"two watchdogs do not {what}" for what, is_so in wanted.items() if not is_so)
        return
    folder = str(PurePosixPath(url.path.removeprefix("/")).parent)
    kept = [mount["mountPath"] for mount, volume in pod.mounts if "persistentVolumeClaim" in volume]
    if url.scheme != "sqlite" or kept != [folder]:
        yield f"the ledger {url.geturl()} is not on the volume at {kept}"
    if strategy != {"type": "Recreate"}:
        yield "a second watchdog waits for a volume that the first one has"
    if "WINE_SLO_STANDBY" in environment:
        yield "one watchdog alone stands by"


def _scrapes(cluster: Cluster) -> Iterator[str]:
    """Prometheus calls them as objectives and rules do, finds all of their pods, and may read what it scrapes."""
    wanted = {each.job for each in PLAN.objectives.values()} if "server" in cluster.kind("Deployment") else set()
    jobs: set[str] = set()
    for name, monitor in cluster.kind("ServiceMonitor").items():
        labels = monitor["spec"]["selector"]["matchLabels"]
        services = [
            each for each in cluster.kind("Service").values() if labels.items() <= each["metadata"]["labels"].items()
        ]
        if len(services) != 1:
            yield f"ServiceMonitor {name}: selects {len(services)} Services"
            continue
        (endpoint,) = monitor["spec"]["endpoints"]
        if endpoint["port"] not in {each["name"] for each in services[0]["spec"]["ports"]}:
            yield f"ServiceMonitor {name}: its Service has no port {endpoint['port']}"
        jobs |= {each["replacement"] for each in endpoint["relabelings"] if each["targetLabel"] == "job"}
        key = endpoint.get("authorization", {}).get("credentials", {})
        if (name == "watchdog") != (key == {"name": "watchdog", "key": "watchdog_password"}):
            yield f"ServiceMonitor {name}: logs in by {key}"
    for config in _own_scrapes(cluster):
        jobs.add(config["job_name"])
        (discovery,) = config["dns_sd_configs"]
        service = cluster.kind("Service").get(discovery["names"][0].partition(".")[0], {}).get("spec", {})
        if service.get("clusterIP") != "None" or service["ports"][0]["port"] != discovery["port"]:
            yield f"the job {config['job_name']}: {discovery['names'][0]} does not name each pod"
        if discovery["names"][0].split(".")[1:3] != [NAMESPACE, "svc"]:
            yield f"the job {config['job_name']}: {discovery['names'][0]} is in another namespace"
    if jobs and jobs != wanted | {"watchdog"}:
        yield f"the jobs are {sorted(jobs)}"


def _own_scrapes(cluster: Cluster) -> list[Json]:
    for name in cluster.kind("ConfigMap"):
        if name.startswith("prometheus-"):
            configs: list[Json] = yaml.safe_load(cluster.data("ConfigMap", name)["prometheus.yml"])["scrape_configs"]
            return configs
    return []
