"""Who may reach whom: what the NetworkPolicies of an overlay allow, beside what its settings need.

A connection is the pods that have the rule, its direction, who is at the other end, protocol and port. Who is at the
other end is another of our Deployments by its name, a namespace, `internet`, or `anybody` where a rule names nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.repo.kubernetes.cluster import Cluster, Json, Pod

PRIVATE = {"10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"}
NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, order=True)
class Connection:
    """A line of a list of who may reach whom."""

    pod: str
    direction: str
    peer: str
    protocol: str
    port: int | str

    def __str__(self) -> str:
        return f"{self.pod} {self.direction} {self.peer} at {self.protocol} {self.port}"


def network_problems(cluster: Cluster) -> Iterator[str]:
    """Yield what is allowed and not needed, needed and not allowed, and not denied."""
    if not any(_denies_all(each["spec"]) for each in cluster.kind("NetworkPolicy").values()):
        yield "what is not allowed is not denied"
    is_allowed, is_needed = set(_allowed(cluster)), set(_needed(cluster))
    yield from (f"is allowed and not needed: {each}" for each in sorted(is_allowed - is_needed, key=str))
    yield from (f"is needed and not allowed: {each}" for each in sorted(is_needed - is_allowed, key=str))


def _denies_all(spec: Json) -> bool:
    return spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def _allowed(cluster: Cluster) -> Iterator[Connection]:
    for policy in cluster.kind("NetworkPolicy").values():
        spec = policy["spec"]
        for pod in cluster.selected(spec["podSelector"].get("matchLabels", {})):
            for direction, peers, word in (("ingress", "from", "from"), ("egress", "to", "to")):
                for rule in spec.get(direction, []):
                    yield from _rule(cluster, pod, word, rule.get(peers, [{}]), rule.get("ports", [{}]))


def _rule(cluster: Cluster, pod: Pod, word: str, peers: list[Json], ports: list[Json]) -> Iterator[Connection]:
    for peer in peers:
        for port in ports:
            for name in _names(cluster, peer):
                yield Connection(pod.name, word, name, port.get("protocol", "TCP"), port.get("port", "any port"))


def _names(cluster: Cluster, peer: Json) -> Iterator[str]:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        is_inside = {"0.0.0.0/0": ".", "::/0": ":"}.get(block["cidr"])
        private = {each for each in PRIVATE if is_inside and is_inside in each}
        yield "internet" if is_inside and set(block.get("except", [])) == private else f"{block['cidr']}"
    elif "namespaceSelector" in peer:
        yield peer["namespaceSelector"].get("matchLabels", {}).get(NAMESPACE_NAME, "anybody")
    elif "podSelector" in peer:
        pods = cluster.selected(peer["podSelector"].get("matchLabels", {}))
        yield from (pod.name for pod in pods) if pods else ["nobody"]
    else:
        yield "anybody"


def _needed(cluster: Cluster) -> Iterator[Connection]:
    pods = {pod.name: pod for pod in cluster.pods}
    environment = cluster.environment(pods["watchdog"])
    names = {"WINE_SLO_PROMETHEUS_URL", "WINE_SLO_DATABASE_URL"} | ({"WINE_SLO_SERVICE_URL"} & environment.keys())
    for url in (urlsplit(environment[name]) for name in names):
        if url.hostname:
            peer = _peer(cluster, url.hostname)
            yield Connection("watchdog", "to", peer, "TCP", url.port or 0)
            if peer in pods:
                yield Connection(peer, "from", "watchdog", "TCP", url.port or 0)
    yield Connection("watchdog", "to", "internet", "TCP", 443)  # Telegram, the dead-man's switch
    prometheus = _peer(cluster, urlsplit(environment["WINE_SLO_PROMETHEUS_URL"]).hostname or "")
    for name, port in (("watchdog", 8001), ("server", 8000)):
        if name in pods:
            yield Connection(name, "from", prometheus, "TCP", port)
            if prometheus in pods:
                yield Connection(prometheus, "to", name, "TCP", port)
    if "server" in pods:
        yield Connection("server", "from", "ingress-nginx", "TCP", 8000)
    for name in {"watchdog", prometheus} & pods.keys():
        yield from (Connection(name, "to", "kube-system", protocol, 53) for protocol in ("TCP", "UDP"))


def _peer(cluster: Cluster, host: str) -> str:
    """Return the Deployment behind a Service of ours, else the namespace of a name in the cluster."""
    name, *rest = host.split(".")
    if rest[1:2] == ["svc"]:
        return rest[0]
    service = cluster.kind("Service").get(name)
    pods = cluster.selected(service["spec"]["selector"]) if service and not rest else []
    return pods[0].name if pods else host
