"""Who is to blame: the values that carry the bad events of an incident, in one line, and label by label."""

from wine_slo.slo.attribution.attribution import Attribution, Cause
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.reading import INSTANCE
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import shortened

MOST_LABELS = 6  # in one answer, each with a line of its own


def cause_line(fmt: Formatter, incident: Incident, objective: Objective) -> str:
    """Return which values carry the bad events, and how all others are; empty where nothing stands out."""
    causes = _causes(incident)
    if not causes:
        return ""
    line = short_cause_line(fmt, incident, objective)
    if causes[0].other_ratio <= objective.allowed_bad_ratio:
        return f"{line} {fmt.say('All others are fine.')}"
    others = fmt.language.percent(causes[0].other_ratio, apart_from=objective.allowed_bad_ratio)
    return f"{line} {fmt.say('Of all others, {share} are bad.', share=others)}"


def short_cause_line(fmt: Formatter, incident: Incident, objective: Objective | None) -> str:
    """Return which values carry the bad events; empty where nothing stands out."""
    causes = _causes(incident)
    if not causes or objective is None:
        return ""
    share, where = fmt.language.percent(causes[0].share), "; ".join(map(_named, causes))
    if objective.is_up:
        return fmt.say("{share} of the failed scrapes: {where}.", share=share, where=where)
    if objective.counts_scrapes:
        return fmt.say("{share} of the bad samples: {where}.", share=share, where=where)
    return fmt.say("{share} of the bad requests: {where}.", share=share, where=where)


def breakdown_lines(fmt: Formatter, attribution: Attribution, objective: Objective) -> list[str]:
    """Return how many events were bad, value by value, a line for each label; the label that explains most first."""
    lines = []
    for each in attribution.breakdowns[:MOST_LABELS]:
        values = [
            fmt.say(
                "{value} {bad} of {total}",
                value=shortened(share.value or "–"),
                bad=fmt.language.number(share.bad),
                total=fmt.language.number(share.total),
            )
            for share in each.values
        ]
        lines.append(
            fmt.say(
                "Bad by {label}, in {duration}: {values}.",
                label=shortened(each.label),
                duration=attribution.over,
                values=fmt.few(values, more=each.more),
            )
        )
    if lines and not attribution.causes:
        lines.append(fmt.say("No value stands out."))
    elif not lines and objective.breakdown != ():
        lines.append(fmt.say("No label to compare."))
    return lines


def _causes(incident: Incident) -> tuple[Cause, ...]:
    """Return what is named: of targets that are down, only what is not said with their names."""
    causes = () if incident.attribution is None else incident.attribution.causes
    return tuple(each for each in causes if each.label != INSTANCE) if incident.down else causes


def _named(cause: Cause) -> str:
    return shortened(f"{cause.label}={', '.join(cause.values)}")
