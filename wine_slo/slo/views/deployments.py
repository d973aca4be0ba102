"""The deployments that are known: those that somebody reported, and those that were seen beside an incident."""

from collections.abc import Iterable, Iterator

from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.deployment import Deployment, Reported


def known_deployments(
    incidents: Iterable[Incident], objectives: Objectives, reports: Iterable[Reported]
) -> Iterator[tuple[str, Deployment]]:
    """Yield the job and the deployment of each version that is known, the reported ones last."""
    for incident in incidents:
        objective, change = objectives.of(incident.key), incident.change
        if objective is not None and change is not None and change.after:
            yield objective.job, change
    for each in reports:
        yield each.job, Deployment(each.at, before="", after=each.version)
