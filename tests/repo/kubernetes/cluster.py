"""What `kubectl apply -k` would bring into a cluster: each overlay as kustomize renders it, read as objects."""

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.repo.deploy.checks import ROOT
from tests.support.real.prometheus import program

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(each.parent.name for each in FOLDER.glob("overlays/*/kustomization.yaml"))
SECRETS = "site/secrets/watchdog.env"  # what the operator writes, by the example beside its folder

Json = dict[str, Any]


@cache
def render(overlay: str) -> str:
    """Return the YAML of an overlay, with the example of the secrets."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "kubernetes"
        shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("secrets"))
        (copy / SECRETS).parent.mkdir()
        shutil.copyfile(copy / "site" / "secrets.example.env", copy / SECRETS)
        command = [program("kubectl"), "kustomize", str(copy / "overlays" / overlay)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@dataclass(frozen=True)
class Pod:
    """The pods of a Deployment."""

    deployment: Json

    @property
    def name(self) -> str:
        name: str = self.deployment["metadata"]["name"]
        return name

    @property
    def template(self) -> Json:
        template: Json = self.deployment["spec"]["template"]
        return template

    @property
    def spec(self) -> Json:
        spec: Json = self.template["spec"]
        return spec

    @property
    def container(self) -> Json:
        (container,) = self.spec["containers"]
        assert isinstance(container, dict)
        return container

    @property
    def labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def process(self) -> str:
        """Which of our programs runs in it; "" for one of others."""
        return str(self.container.get("command", [""])[-1]).partition("wine_slo.")[2]

    @property
    def probes(self) -> dict[str, Json]:
        kinds = ("startupProbe", "livenessProbe", "readinessProbe")
        return {kind: self.container[kind] for kind in kinds if kind in self.container}

    @property
    def mounts(self) -> Iterator[tuple[Json, Json]]:
        """Yield each mount and its volume; an empty one where there is none."""
        volumes = {each["name"]: each for each in self.spec.get("volumes", [])}
        for mount in self.container.get("volumeMounts", []):
            yield mount, volumes.get(mount["name"], {})

    def has_port(self, port: str | int) -> bool:
        return any(port in (each.get("name"), each["containerPort"]) for each in self.container["ports"])


@dataclass(frozen=True)
class Cluster:
    """The objects of an overlay."""

    text: str

    @classmethod
    def of(cls, overlay: str) -> "Cluster":
        return cls(render(overlay))

    def changed(self, before: str, after: str) -> "Cluster":
        assert before in self.text, f"{before!r} is not in what is rendered"
        return replace(self, text=self.text.replace(before, after))

    @cached_property
    def objects(self) -> list[Json]:
        return [each for each in yaml.load_all(self.text, yaml.CSafeLoader) if each]

    def kind(self, kind: str) -> dict[str, Json]:
        """Return the objects of a kind by their names."""
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == kind}

    @property
    def pods(self) -> list[Pod]:
        return [Pod(each) for each in self.kind("Deployment").values()]

    def selected(self, labels: Mapping[str, str]) -> list[Pod]:
        return [pod for pod in self.pods if labels.items() <= pod.labels.items()]

    def data(self, kind: str, name: str) -> dict[str, str]:
        """Return what a ConfigMap or a Secret holds."""
        found = self.kind(kind)[name].get("data", {})
        return {key: base64.b64decode(value).decode() for key, value in found.items()} if kind == "Secret" else found

    def environment(self, pod: Pod) -> dict[str, str]:
        """Return the variables of the container.

        Raises:
            KeyError: a ConfigMap, a Secret or a key of it is not there.
        """
        found: dict[str, str] = {}
        for each in pod.container.get("envFrom", []):
            found |= self.data("ConfigMap", each["configMapRef"]["name"])
        for each in pod.container.get("env", []):
            if "value" in each:
                found[each["name"]] = each["value"]
            else:
                source = each["valueFrom"]["secretKeyRef"]
                found[each["name"]] = self.data("Secret", source["name"])[source["key"]]
        return found

    def files(self, pod: Pod) -> dict[str, str]:
        """Return the texts of what is mounted, by their paths in the container.

        Raises:
            KeyError: a ConfigMap, a Secret or a key of it is not there.
        """
        found: dict[str, str] = {}
        for mount, volume in pod.mounts:
            if "configMap" in volume:
                data = self.data("ConfigMap", volume["configMap"]["name"])
            elif "secret" in volume:
                data = self.data("Secret", volume["secret"]["secretName"])
            else:
                continue
            items = (volume.get("secret") or {}).get("items")
            names = {each["path"]: each["key"] for each in items} if items else {key: key for key in data}
            found |= {f"{mount['mountPath']}/{path}": data[key] for path, key in names.items()}
        return found
