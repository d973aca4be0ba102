"""What every chat reads of what somebody does in one of them: silences, their ends and drills; all of it quietly.

An announcement waits for every alert, and is given up where it cannot be delivered: what holds is on the status page,
in `/silences` and in a metric, and a silence is announced again each day. One that was made just before the process
ended is announced once more: twice is better than never.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.slo.backoff import Backoff
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import ChannelError, ChannelOf
from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.text.command_text import Replies

log = logging.getLogger(__name__)

TRIES = 3
MOST_WAITING = 20  # announcements; of a chat that does more at once, the later ones are left out
LONGEST_WAIT = timedelta(seconds=30)  # what Telegram wants to be left alone for longer is not worth an announcement
AT_RISK = timedelta(minutes=1)  # before the last evaluation of the process before: what may not have been announced
CHECKED_EVERY = 60.0  # seconds between two checks of how long silences have run

Text = Callable[[Replies], str]
Buttons = Callable[[Replies], Keyboard]


class Announcements:
    """Notifies every chat.

    Args:
        channel_of: The channel of an address.
        recipients: Who is notified.
        localizer: How things read for each.
        again_after: Seconds before the first try that failed is repeated.
    """

    def __init__(
        self,
        channel_of: ChannelOf,
        recipients: Recipients,
        localizer: Localizer,
        again_after: float = 2.0,
    ) -> None:
        self._channel_of = channel_of
        self._recipients = recipients
        self._localizer = localizer
        self._backoff = Backoff(timedelta(seconds=again_after), LONGEST_WAIT)
        self._waiting: asyncio.Queue[tuple[Text, Address | None, Buttons]] = asyncio.Queue(MOST_WAITING)

    def announce(self, text: Text, but: Address | None = None, buttons: Buttons = lambda _replies: ()) -> None:
        """Have every chat notified, but the one in which it was done; returns at once."""
        try:
            self._waiting.put_nowait((text, but, buttons))
        except asyncio.QueueFull:
            log.warning("an announcement was left out: %d are waiting already", MOST_WAITING)

    async def run(self) -> None:
        """Deliver what is to be delivered, for ever; a chat that hangs holds no other one's first try."""
        while True:
            text, but, buttons = await self._waiting.get()
            reachable = [self._recipients.subscriber(chat) for chat in self._recipients]
            others = [each for each in reachable if not each.is_closed and but not in (each.chat, each.address)]
            await asyncio.gather(
                *(self._send_to(self._recipients.address(each.chat), text, buttons) for each in others)
            )

    async def remind(self, journal: Journal, snapshot: Snapshot) -> None:
        """Remind each day, for ever, which silences go on; at the start announce those of just before the last end."""
        evaluated_at, since = snapshot.state.evaluated_at, snapshot.now()
        for action in journal.actions.silences(snapshot.state.incidents, since):
            if evaluated_at is not None and action.at > evaluated_at - AT_RISK:
                self.announce(partial(Replies.announced, actions=[action], now=since), action.chat)
        while True:
            await asyncio.sleep(CHECKED_EVERY)
            instant = snapshot.now()
            if those := journal.actions.to_announce(snapshot.state.incidents, since, instant):
                self.announce(partial(Replies.announced, actions=those, now=instant))
            since = instant

    async def _send_to(self, address: Address, text: Text, buttons: Buttons) -> None:
        replies = self._localizer.replies(address.chat)
        for attempt in range(1, TRIES + 1):
            try:
                await self._channel_of(address).send(address, text(replies), loud=False, buttons=buttons(replies))
            except ChannelError as error:
                log.warning("chat %s: an announcement was not sent: %s", address.chat.place, error)
                wait = error.retry_after or self._backoff.wait(attempt)
                if error.permanent or not error.surely_not_sent or wait > LONGEST_WAIT:
                    return
                await asyncio.sleep(wait.total_seconds())
            except Exception:  # a text must not end what delivers
                log.exception("chat %s: an announcement was not sent by a fault of ours", address.chat.place)
                return
            else:
                return
