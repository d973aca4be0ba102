"""What an import reads like: the commented slo.yml, and the summary on the terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from wine_slo.monitor.onboarding.importing.imported import Entry, Imported
from wine_slo.monitor.onboarding.importing.targets import NONE
from wine_slo.monitor.onboarding.slo_writer import Section, write

MOST_SKIPPED = 3  # files that are named
WHAT_IT_IS = (
    "Written by `wine-slo init --from` out of objectives of other tools. A comment says where each is from, what was "
    "changed, and what is left out and why. Labels, annotations and receivers of alerts are not taken over. "
    "`wine-slo doctor` says what of it Prometheus does not have."
)
NO_JOB = "names no job: fresh series count as data; with `job: NAME` instead, outages of its targets are reported"


def slo_yaml(imported: Imported) -> str:
    """Return the text of the file."""
    jobs = [each.fields.get("job") for each in imported.taken]
    common = jobs[0] if jobs and all(each == jobs[0] for each in jobs) else None
    head: dict[str, Any] = {"job": common} if common else {}
    if imported.time_zone:
        head["time_zone"] = imported.time_zone
    return write(Section(head, [WHAT_IT_IS]), [_section(each, has_job=common is None) for each in imported.entries])


def summary(imported: Imported) -> Iterator[str]:
    """Return a line for each SLO, remarks below it, and the count of all."""
    width = max((len(each.name) for each in imported.entries), default=0)
    for each in imported.entries:
        yield f"{_outcome(each):<9} {each.name:<{width}}  {each.where}"
        for remark in each.remarks:
            yield f"{'':<10}{remark}"
    yield from (
        imported.skipped
        if len(imported.skipped) <= MOST_SKIPPED
        else [f"{len(imported.skipped)} files hold no SLO or alerting rule that is known here"]
    )
    yield ""
    yield _counts(imported)
    if without := sum(each.fields.get("up") == NONE for each in imported.taken):
        yield (
            f"{without} {'names' if without == 1 else 'name'} no job: `up: none` is written, so that their data counts "
            "as long as it is fresh; write `job:` instead for outages of their targets to be reported."
        )


def _section(entry: Entry, *, has_job: bool) -> Section:
    if not entry.fields:
        reason = f"says the same as {entry.same_as}" if entry.same_as else f"is left out: {'; '.join(entry.remarks)}"
        return Section(above=[f"{entry.name} ({entry.where}) {reason}."])
    fields = {name: value for name, value in entry.fields.items() if has_job or name != "job"}
    return Section(
        fields, [f"From {entry.where}.", *entry.remarks], {"up": NO_JOB} if entry.fields.get("up") == NONE else {}
    )


def _outcome(entry: Entry) -> str:
    if entry.same_as:
        return "the same"
    if not entry.fields:
        return "left out"
    return "changed" if entry.is_changed else "taken"


def _counts(imported: Imported) -> str:
    """Return how many SLOs became what, in a sentence."""
    found: Sequence[str] = [_outcome(each) for each in imported.entries]
    words = (
        ("taken", "taken as they are"),
        ("changed", "changed"),
        ("the same", "the same as others"),
        ("left out", "left out"),
    )
    parts = [f"{found.count(outcome)} {said}" for outcome, said in words if outcome in found]
    return f"{len(found)} {'SLO' if len(found) == 1 else 'SLOs'}: {', '.join(parts)}." if found else "No SLO was found."
