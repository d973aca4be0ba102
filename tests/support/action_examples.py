"""Short ways to write down what two people did."""

from dataclasses import replace

from tests.support.scene import CHAT, at
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.oncall.actions import NO_ACTIONS, Action, ActionKind, Actions, Silence

ANNA, BORIS = Person(7, "Anna"), Person(8, "Boris")


def action(second: float, kind: ActionKind = ActionKind.ACKNOWLEDGE, by: Person = ANNA, **fields: object) -> Action:
    whole: dict[str, object] = {"incident": 12} if kind is ActionKind.ACKNOWLEDGE else {}
    fresh = Action(number=0, at=at(second), deed=kind, by=by, chat=CHAT, cause=f"press {second} {by.id}")
    return replace(fresh, **(whole | fields))  # type: ignore[arg-type]


def silence(second: float, until: float | None = None, by: Person = ANNA, **fields: object) -> Action:
    end = None if until is None else at(until)
    return action(second, ActionKind.SILENCE, by, silence=Silence(until=end, **fields))  # type: ignore[arg-type]


def actions(*those: Action) -> Actions:
    found = NO_ACTIONS
    for each in those:
        found = found.with_more([each])
    return found
