"""What can be pressed under an incident's message, as it makes sense now."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from wine_slo.slo.chat.messages import Button, Keyboard
from wine_slo.slo.evaluation.engine import GAP
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.oncall.actions import Action, Actions

ACKNOWLEDGE, SILENCE, END, UNDO = "ack", "hush", "end", "undo"  # "hush" is in buttons that chats have
ACKNOWLEDGE_ALL = "ackall"  # of the incidents that share a message
CHART, WHY = "chart", "why"
CHOOSE = "choose"  # one of the silences that somebody may have wanted
SHOW = "show"  # how everything stands
VERBS = frozenset(
    {ACKNOWLEDGE, ACKNOWLEDGE_ALL, SILENCE, END, UNDO, CHART, WHY}
)  # of the buttons under an incident's message
HOUR, RECOVERY = "60", "recovery"  # arguments of a silence: minutes, or until it is over


def which_of(incident: Incident) -> tuple[str, str]:
    """Return what a button carries to name an incident and its opening."""
    return str(incident.number), str(incident.openings)


def link_to(url: str, say: Callable[[str], str]) -> Keyboard:
    """Return the button that opens a page of the runbook; none where there is no such page."""
    return ((Button(say("Runbook"), url=url),),) if url else ()


def storm_buttons(
    number: int,
    offers: Collection[str],
    say: Callable[[str], str],
    links: Keyboard,
    *,
    acknowledged: int,
    is_acknowledged: bool,
) -> Keyboard:
    """Return rows of buttons under a message about many incidents.

    Args:
        number: One of them, by which the others are found that share its message.
        offers: What pressing can do here.
        say: Says a sentence in the readers' language.
        links: What opens a page.
        acknowledged: How many are; as the button carries it, the message is edited at once when that changes.
        is_acknowledged: Whether all that are open are.
    """
    if is_acknowledged or ACKNOWLEDGE_ALL not in offers:
        return links
    return ((Button(say("Acknowledge all"), ACKNOWLEDGE_ALL, (str(number), str(acknowledged))),), *links)


def buttons_of(  # noqa: PLR0913 - one place calls it
    incident: Incident,
    actions: Actions,
    incidents: Mapping[int, Incident],
    objectives: Objectives,
    now: datetime,
    offers: Collection[str],
    say: Callable[[str], str],
    *,
    runbook: str = "",
) -> Keyboard:
    """Return rows of buttons; none where the incident is over, but for the runbook of a time without evaluations.

    Args:
        incident: The one whose message it is.
        actions: What people did.
        incidents: All that are at hand.
        objectives: The objectives; there are charts of these only.
        now: The instant of this pass.
        offers: What pressing can do here.
        say: Says a sentence in the readers' language.
        runbook: The page that says what to do about it; empty where there is none.
    """
    links = link_to(runbook, say)
    if not incident.is_open:
        return links if incident.key == GAP else ()
    which = which_of(incident)
    acknowledgement = actions.acknowledgement(incident)
    silence = actions.silence_of(incident, incidents, now)
    first = (
        [Button(say("Acknowledge"), ACKNOWLEDGE, which)]
        if acknowledgement is None
        else _undo(acknowledgement, now, say)
    )
    if silence is None:
        second = [
            Button(say("Silence 1 h"), SILENCE, (*which, HOUR)),
            Button(say("Silence until resolved"), SILENCE, (*which, RECOVERY)),
        ]
    else:
        second = [Button(say("End the silence"), END, (str(silence.number),))]
    third: list[Button] = []
    if objectives.of(incident.key) is not None:
        third = [Button(say("Chart"), CHART, which[:1]), Button(say("Why"), WHY, which[:1])]
    rows = [[each for each in row if each.verb in offers] for row in (first, second, third)]
    rows[-1] += (button for row in links for button in row)
    return tuple(tuple(row) for row in rows if row)


def _undo(action: Action, now: datetime, say: Callable[[str], str]) -> list[Button]:
    return [Button(say("Undo"), UNDO, (str(action.number),))] if action.is_fresh(now) else []
