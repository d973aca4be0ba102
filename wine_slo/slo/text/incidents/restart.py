"""A time without evaluations: after a restart, a suspension or a failure."""

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident, Interruption
from wine_slo.slo.text.formatting import MAX_ENDPOINTS, Formatter


def restart_line(fmt: Formatter, gap: Incident) -> str:
    """Return that there was no evaluation for a while, and why."""
    duration = gap.last_bad_at - gap.began_at
    match gap.reason:
        case Interruption.RESTART:
            return fmt.say("Watchdog restarted; not evaluating for {duration}.", duration=duration)
        case Interruption.FAILURE:
            return fmt.say("Not evaluating for {duration}: evaluations failed.", duration=duration)
        case Interruption.PAUSE:
            return fmt.say("Not evaluating for {duration}: the watchdog was suspended.", duration=duration)
        case Interruption.CLOCK:
            return fmt.say("The clock was set back: the last evaluation lay in the future and is dropped.")
        case _:
            return fmt.say("Not evaluating for {duration}.", duration=duration)


def still_open_line(fmt: Formatter, state: State) -> str:
    """Return which incidents are open."""
    still = state.open_incidents
    if not still:
        return fmt.say("No incident is open.")
    names = ", ".join(
        fmt.say("#{number} {name}", number=each.number, name=fmt.name(each.key)) for each in still[:MAX_ENDPOINTS]
    )
    if len(still) > MAX_ENDPOINTS:
        names += " …"
    return fmt.count(len(still), "{n} incident still open: {names}.", "{n} incidents still open: {names}.", names=names)
