"""Silences, quiet hours, acknowledgements, escalations and second chats at random: nothing is lost, nothing is loud."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.bot_api import BotApi, Call
from tests.support.fakes.desk import ANNA, GROUP, SEND, Desk, opened_desk
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.notify.policies import Rules
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.policy import GRACE
from wine_slo.slo.notification.record import DeliveryRecord, Stage
from wine_slo.slo.oncall.actions import Action, ActionKind, Silence
from wine_slo.slo.oncall.time_phrases import QuietHours

ESCALATE = timedelta(minutes=4)
QUIET = QuietHours(time(20, 10), time(21), UTC)
STEPS = 50
EVENTS = ("good", "bad", "bad", "wait", "wait", "ack", "undo", "silence", "until recovery", "end", "end")


@dataclass
class Night:
    """What happens at random, and what each chat must know then."""

    desk: Desk
    dice: random.Random
    known_since: dict[tuple[int, int], datetime] = field(default_factory=dict)  # to the first chat, by opening
    log: list[str] = field(default_factory=list)

    async def happens(self, event: str) -> None:
        scene, open_now = self.desk.scene, self.desk.scene.state.open_incidents
        actions = self.desk.journal.actions
        match event:
            case "good":
                scene.has(0.0, self.dice.choice([20, 60, 120]))
            case "bad":
                scene.has(1.0, self.dice.choice([25, 60, 300]))
            case "wait":
                scene.has(1.0 if open_now else 0.0, 300)
            case "silence":
                until = scene.now + timedelta(minutes=self.dice.choice([2, 10]))
                await self.acts(ActionKind.SILENCE, silence=Silence(until, objective="latency"))
            case "end" if running := actions.silences(scene.state.incidents, scene.now):
                await self.acts(ActionKind.END, of=running[0].number)
        for incident in open_now:
            taken = actions.acknowledgement(incident)
            if event == "ack":
                await self.acts(ActionKind.ACKNOWLEDGE, incident=incident.number, opening=incident.openings)
            elif event == "undo" and taken is not None:
                await self.acts(ActionKind.UNDO, of=taken.number)
            elif event == "until recovery":
                those = ((incident.number, incident.openings),)
                await self.acts(ActionKind.SILENCE, silence=Silence(None, those, "latency"))

    async def acts(self, kind: ActionKind, **of_it: Any) -> None:
        action = Action(
            number=0,
            at=self.desk.scene.now,
            deed=kind,
            by=Person(8, "Boris"),
            chat=address_of(ANNA),
            cause=str(len(self.log)),
            **of_it,
        )
        await self.desk.journal.add(action)

    async def passes(self, event: str) -> None:
        await self.happens(event)
        before = len(self.desk.api.calls)
        await self.desk.deliver(after=1)
        sent = [call for call in self.desk.api.calls[before:] if call.method == SEND]
        self.log.append(f"{self.desk.scene.now:%H:%M:%S} {event}: " + ", ".join(_read(call) for call in sent))
        loud = [call for call in sent if not call.is_set("disable_notification")]
        assert not (loud and QUIET.cover(self.desk.scene.now)), "\n".join(self.log)
        for incident in self.desk.scene.state.incidents.values():
            self.check(incident, is_loud=bool(loud))

    def check(self, incident: Incident, *, is_loud: bool) -> None:
        first, second = (self.record(incident, chat) for chat in (ANNA, GROUP))
        said, now, actions = "\n".join(self.log), self.desk.scene.now, self.desk.journal.actions
        if not incident.is_open:
            assert Stage.OPENED not in (first.stage, second.stage), said
            return
        opening = (incident.number, incident.openings)
        if first.stage is Stage.OPENED:
            self.known_since.setdefault(opening, now)
        if actions.silence_of(incident, self.desk.scene.state.incidents, now) is not None:
            assert not is_loud, said
            return
        if QUIET.cover(now):
            return
        assert first.stage is Stage.OPENED, said
        given_up_at = actions.given_up_at(incident)
        is_overdue = now - self.known_since[opening] > ESCALATE and actions.acknowledgement(incident) is None
        if is_overdue and (given_up_at is None or now - given_up_at > GRACE):
            assert second.stage is Stage.OPENED, said

    def record(self, incident: Incident, chat: int) -> DeliveryRecord:
        stored = self.desk.ledger.records_of([incident.number])
        known = (each for each in stored if each.chat == address_of(chat))
        return next(known, DeliveryRecord(incident=incident.number, chat=address_of(chat)))


def _read(call: Call) -> str:
    return f"{call.chat_id} {(call.text or '').splitlines()[0]}"


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_people_do_each_chat_knows_what_it_may_know_and_nothing_is_loud_that_must_not_be(
    bot_api: BotApi, tmp_path: Path, seed: int
) -> None:
    async with opened_desk(bot_api, tmp_path) as desk:
        desk.rules = Rules(
            second_chats=frozenset([address_of(GROUP)]),
            escalate_after=ESCALATE,
            quiet_hours=QUIET,
            pages_in_quiet_hours=False,
        )
        desk.notifies((ANNA, GROUP))
        night = Night(desk, random.Random(seed))
        for _ in range(STEPS):
            await night.passes(night.dice.choice(EVENTS))
        assert any(call.chat_id == GROUP for call in bot_api.calls_of(SEND)), "some of it is escalated"
