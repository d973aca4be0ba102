"""Whatever the Bot API answers, an attempt succeeds or is a channel error, and who listens goes on listening."""

import asyncio
import copy
import json
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC
from threading import Event
from time import monotonic
from typing import Any

from aiohttp import web
from telegram import Bot

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.people import ANNA, BORIS, Talk, among
from tests.support.held_loop import held_loop
from tests.support.odd_json import ODD
from tests.support.scene import ALL
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.integrations.telegram.connection import BotApiRequest
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.messages import Answer, Button, Command, Picture, Question
from wine_slo.slo.text.formatting import Formatter

SECONDS = 3 * float(os.environ.get("WINE_SLO_SOAK", "1")) ** 2
LISTENERS = 12  # side by side, as each makes a pause after an answer that cannot be read
ATTEMPTS = 5  # that there are
LONGEST = 0.1  # seconds of processor time
FEWEST = 100  # bent answers; an idle machine makes four times as many
NUMBERS = (0, -1, 1, 7, 7, 2**31, 2**52, 2**63, 10**400, "7", None, True, 1.5)  # of updates
TEXTS = ("/hello", "/hello@wine_slo_bot", "/nonsense", "", "\ud800", "/" * 4096, "\x00", "a" * 5000)
STATUSES = (201, 204, 301, 302, 400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 599)
WAITS: tuple[Any, ...] = (-5, 0, 1e18, "abc", None, [], {}, True, "1" * 4301, float("nan"), 10**400)
BODIES = (b"", b"<html>Log in</html>", b"\xff\xfe", b"[" * 50_000, b"{}", b"null", b'{"ok":true}', b'{"ok":false}')


class FuzzedBotApi(BotApi):
    """The fake, its answers bent at random but by a seed."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.dice = random.Random(seed)
        self.bent: Counter[str] = Counter()
        self.is_sane = False

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        right = await super()._handle(request)
        method = request.path.rpartition("/")[2]
        # Who never learns who the bot is never listens, and that is another test's.
        if self.is_sane or not isinstance(right, web.Response) or method in {"getMe", "setMyCommands"}:
            return right
        if self.dice.random() < 0.3:
            return right
        self.bent[method] += 1
        return self._bent(method, right)

    def _bent(self, method: str, right: web.Response) -> web.Response:
        dice, status, body = self.dice, right.status, bytes(right.body or b"")  # type: ignore[arg-type]
        content = json.loads(body)
        headers = {"Content-Type": dice.choice(("application/json", "text/html", ""))}
        match dice.randrange(7):
            case 0:
                return web.Response(body=dice.choice(BODIES), status=dice.choice((200, *STATUSES)), headers=headers)
            case 1:
                place = dice.randrange(len(body) + 1)
                body = body[:place] + bytes([dice.randrange(256)]) * dice.choice((0, 1, 1000)) + body[place + 1 :]
                return web.Response(body=body, status=status, headers=headers)
            case 2:
                status = dice.choice(STATUSES)
                parameters = {"retry_after": dice.choice(WAITS), "migrate_to_chat_id": dice.choice((*ODD, *NUMBERS))}
                del parameters[dice.choice(list(parameters))]
                said = dice.choice(("", "x", "message is not modified", "chat not found", "\ud800", "x\n" * 5000, 5))
                content = {"ok": False, "error_code": dice.choice((status, *ODD)), "description": said}
                content["parameters"] = dice.choice((parameters, parameters, *ODD))
            case 3 | 4 if method == "getUpdates":
                content = {"ok": True, "result": [self._update() for _ in range(dice.choice((1, 2, 5, 60)))]}
            case _:
                for _ in range(dice.choice((1, 2, 5))):
                    content = self._shape(content)
        return web.Response(body=json.dumps(content).encode(), status=status, headers=headers)

    def _update(self) -> Any:
        dice = self.dice
        person = {"id": dice.choice((ANNA, BORIS, *NUMBERS)), "is_bot": dice.random() < 0.1, "first_name": "A"}
        message = {
            "message_id": dice.choice(NUMBERS),
            "date": dice.choice((0, 10**9, 4_102_444_800, 253_402_300_800, -1, 10**400, None)),
            "chat": {"id": dice.choice((ANNA, ANNA, *NUMBERS)), "type": dice.choice(("private", "supergroup", "x"))},
            "from": person,
            "text": dice.choice(TEXTS),
        }
        press = {"id": "1", "from": person, "message": message, "chat_instance": "1", "data": dice.choice(TEXTS)}
        content = dice.choice(({"message": message}, {"callback_query": press}, {"channel_post": message}))
        update = {"update_id": dice.choice((*NUMBERS, *range(1000, 1010))), **content}
        return update if dice.random() < 0.6 else self._shape(update)

    def _shape(self, tree: Any) -> Any:
        """Something else, or nothing, at any place."""
        dice = self.dice
        if not isinstance(tree, dict | list) or not tree or dice.random() < 0.1:
            return copy.deepcopy(dice.choice(ODD))
        place: Any = dice.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
        if dice.random() < 0.3:
            del tree[place]
        else:
            tree[place] = self._shape(tree[place])
        return tree


async def hello(_: Question) -> Answer:
    return Answer("hello", buttons=((Button("Do it", "do"),),))


async def test_whatever_the_bot_api_answers_attempts_end_and_who_listens_goes_on() -> None:
    tired, done = Event(), Event()
    async with FuzzedBotApi(int(os.environ.get("WINE_SLO_FUZZ_SEED", "1"))) as api:
        for chat in (ANNA, BORIS):
            api.chat(chat)
        ours = asyncio.create_task(asyncio.to_thread(asyncio.run, _try_and_listen(api, tired, done)))
        try:
            await asyncio.to_thread(tired.wait)
            if not ours.done():
                await api.says(ANNA, ANNA, "/hello")
                await api.until(lambda: api.chat(ANNA).texts[-1:] == ["hello"], seconds=70)
        finally:
            done.set()
            ended, longest = await ours
    print(f"{dict(api.bent)} bent, {dict(ended)}, the loop held for {longest:.3f} s")  # noqa: T201
    assert ended.keys() == {"done", "refused"}
    assert longest < LONGEST


async def _try_and_listen(api: FuzzedBotApi, tired: Event, done: Event) -> tuple[Counter[str], float]:
    """Attempt and listen as our processes do, in a thread of its own, so that what the fake does counts for nothing.

    Return how the attempts ended, and for how long they held their loop at most, in processor time.
    """
    ended: Counter[str] = Counter()
    try:
        async with AsyncExitStack() as stack:
            talks = [Talk(api, Formatter(ALL, UTC), among()) for _ in range(LISTENERS)]
            for talk in talks:
                await stack.enter_async_context(talk.listening(Command("hello", "Says hello", hello)))
            request = BotApiRequest(read_timeout=1, connect_timeout=1, pool_timeout=1)
            bot = await stack.enter_async_context(Bot(TOKEN, base_url=api.base_url, request=request))
            ends_at = monotonic() + SECONDS
            async with held_loop() as held:
                while monotonic() < ends_at or api.bent.total() < FEWEST:
                    ended.update(
                        await asyncio.gather(*(_attempt(TelegramChannel(bot), which) for which in range(ATTEMPTS)))
                    )
            api.is_sane = True
            assert isinstance(await TelegramChannel(bot).send(address_of(ANNA), "well again"), int)
            tired.set()
            await asyncio.to_thread(done.wait)
    finally:
        tired.set()
    return ended, held.longest


async def _attempt(chat: TelegramChannel, which: int) -> str:
    """How an attempt ends."""
    attempts: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: chat.send(address_of(ANNA), "<b>text</b>", buttons=((Button("Do it", "do"),),)),
        lambda: chat.edit(address_of(ANNA), 1, "text"),
        lambda: chat.show(address_of(ANNA, 30), Picture(b"\x89PNG\r\n", "caption")),
        lambda: chat.reach(address_of(ANNA)),
        lambda: chat.pin(address_of(ANNA), 1),
    )
    try:
        given = await attempts[which]()
    except ChannelError as error:
        str(error).encode()
        is_bounded = error.retry_after is None or 1 <= error.retry_after.total_seconds() <= 300
        return "refused" if is_bounded else "to wait for ever"
    assert which != 0 or (type(given) is int and 0 <= given < 2**63), given  # what the ledger can keep
    return "done"
