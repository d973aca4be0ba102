"""What people did about incidents: kept in memory at once, and written to the ledger as soon as that works."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.oncall.actions import Action, Actions
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter

log = logging.getLogger(__name__)


class Journal:
    """Keeps what people did: at once for everybody, and in the ledger as soon as it can be written.

    Args:
        ledger: Where it is written.
        actions: What is written there.
        again_after: Seconds between two tries to write what could not be written.
        last_number: The highest number of an action in the ledger.

    Attributes:
        actions: All of them, as far as they matter.
    """

    def __init__(
        self,
        ledger: Ledger,
        actions: Iterable[Action],
        again_after: float = 10.0,
        last_number: int = 0,
    ) -> None:
        self.actions = Actions.kept(actions, last_number)
        self._ledger = ledger
        self._listeners: list[Callable[[], None]] = []
        self._again_after = again_after
        self._unwritten: list[Action] = []
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have a function called after each action."""
        self._listeners.append(listener)

    async def add(self, action: Action) -> tuple[Action, bool]:
        """Keep an action; it with its number, and whether it is written down. One of the same cause counts once."""
        (known,), written = await self.add_all([action])
        return known, written

    async def add_all(self, actions: Sequence[Action]) -> tuple[tuple[Action, ...], bool]:
        """Keep actions that were done together; they with their numbers, and whether all of them are written down.

        One of the same cause counts once.
        """
        async with self._turn:
            new = [each for each in actions if self.actions.of_cause(each.cause) is None]
            if new:
                self.actions = self.actions.with_more(new)
                self._unwritten += self.actions.all[-len(new) :]
                last, count = self.actions.all[-1], f" and {len(new) - 1} before it" if len(new) > 1 else ""
                log.info("%s (%d) did: %s, action %d%s", last.by.name, last.by.id, last.deed, last.number, count)
            if self._unwritten:
                await self._write()
        for listener in self._listeners:
            listener()
        known = tuple(found for each in actions if (found := self.actions.of_cause(each.cause)) is not None)
        unwritten = {each.number for each in self._unwritten}
        return known, not any(each.number in unwritten for each in known)

    def distinguished(self, person: Person) -> Person:
        """Return a person, with their id in the name where somebody else of that name has done something."""
        if not self.actions.is_other_of_that_name(person):
            return person
        return replace(person, name=f"{person.name} ({person.id})")

    def is_announced_drill(self, incident: Incident, objective: str = "") -> bool:
        """Return whether an incident began while a drill of an objective ran that was announced as one."""
        return self.actions.is_announced(incident, objective)

    def lines(self, incident: Incident, fmt: Formatter) -> list[str]:
        """Return what was done about an incident, a line each."""
        return [Replies(fmt).action(action, incident) for action in self.actions.about(incident)]

    async def run(self) -> None:
        """Write down, for ever, what could not be written at once."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._unwritten:
                await asyncio.sleep(self._again_after)
                async with self._turn:
                    await self._write()

    async def _write(self) -> None:
        waiting = list(self._unwritten)
        try:
            await asyncio.to_thread(self._ledger.add_actions, waiting)
        except LedgerError as error:
            log.error("%s; what people did is kept in memory and written as soon as that works", error)  # noqa: TRY400 - expected
            self._news.set()
        except Exception:
            log.exception("actions cannot be written together by a fault of ours; each is tried alone")
            await self._write_singly(waiting)
        else:
            self._unwritten = self._unwritten[len(waiting) :]

    async def _write_singly(self, waiting: Sequence[Action]) -> None:
        """Write actions one by one, so that none that can never be written holds the others."""
        for action in waiting:
            try:
                await asyncio.to_thread(self._ledger.add_actions, [action])
            except LedgerError as error:
                log.error("%s; what people did is kept in memory and written as soon as that works", error)  # noqa: TRY400 - expected
                self._news.set()
                return
            except Exception:
                log.exception("action %d cannot be written by a fault of ours; it holds until a restart", action.number)
            self._unwritten.remove(action)
