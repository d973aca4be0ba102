"""Telegram's Bot API on loopback, as a bot sees it: chats, buttons, long polling, refusals and bad days.

It answers under `/bot<token>/<method>`, which is python-telegram-bot's `base_url` plus token and method, and refuses
with Telegram's own codes and descriptions (https://core.telegram.org/bots/api, and `Client.cpp` of
https://github.com/tdlib/telegram-bot-api). Only chats that a test has named exist.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit

from aiohttp import web

from tests.support.fakes.loopback import OnLoopback, never
from tests.support.fakes.telegram_chats import Button, Chat, Json, Keyboard, Message, Version
from tests.support.fakes.telegram_html import MarkupError, visible_text

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # the example of Telegram's manual

MAX_TEXT = 4096  # characters, after entities
MAX_CAPTION = 1024  # characters, after entities
MAX_CALLBACK_DATA = 64  # bytes
MAX_TOAST = 200  # characters
MAX_BUTTONS = 100  # under one message
MAX_BUTTONS_IN_ROW = 8
MAX_COMMANDS = 100
MAX_WAIT = 50  # seconds a getUpdates may wait

BLOCKED = "Forbidden: bot was blocked by the user"
KICKED = "Forbidden: bot was kicked from the supergroup chat"

RIGHTS = {  # what a member of such a status has or has not
    "administrator": (
        "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
        "can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
        "can_edit_stories", "can_delete_stories", "can_pin_messages", "can_post_messages", "can_edit_messages",
    ),
    "restricted": (
        "is_member", "can_change_info", "can_invite_users", "can_pin_messages", "can_send_messages", "can_send_polls",
        "can_send_other_messages", "can_add_web_page_previews", "can_manage_topics", "can_send_audios",
        "can_send_documents", "can_send_photos", "can_send_videos", "can_send_video_notes", "can_send_voice_notes",
        "can_edit_tag", "can_react_to_messages",
    ),
}  # fmt: skip
DESCRIPTIONS = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: BLOCKED,
    404: "Not Found: method not found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    429: "Too Many Requests: retry after {retry_after}",
    500: "Internal Server Error",
}
BAD_GATEWAY = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx/1.18.0</body>\r\n</html>\r\n"


class RefusalError(Exception):
    """Telegram says no."""

    def __init__(self, status: int, description: str | None = None, **parameters: int) -> None:
        self.status = status
        self.description = description or DESCRIPTIONS.get(status, "").format(**parameters)
        self.parameters = parameters
        super().__init__(self.description)

    def as_response(self) -> web.Response:
        if self.status == 502:
            return web.Response(status=502, text=BAD_GATEWAY, content_type="text/html")
        answer: Json = {"ok": False, "error_code": self.status, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return web.json_response(answer, status=self.status)


class Outcome(StrEnum):
    """What became of a call."""

    PENDING = "pending"
    DONE = "done"  # and the caller got the answer
    REFUSED = "refused"
    HANGS = "hangs"  # not done, never answered
    DONE_THEN_HANGS = "done, then hangs"
    DONE_THEN_RESET = "done, then reset"
    DONE_LATE = "done late"
    ODD = "answered oddly"  # and not done


@dataclass(slots=True)
class Call:
    """One call of a method.

    Attributes:
        host: As the caller names us; another one for each caller that comes through a proxy of its own.
        ended_at: When it was answered, or the caller gave up; None while it goes on.
    """

    method: str
    at: datetime
    parameters: dict[str, str] = field(repr=False)
    files: dict[str, bytes] = field(repr=False)
    outcome: Outcome = Outcome.PENDING
    refusal: str = ""
    host: str = ""
    ended_at: datetime | None = None

    @property
    def chat_id(self) -> int | None:
        return self.integer("chat_id")

    @property
    def text(self) -> str | None:
        return self.parameters.get("text", self.parameters.get("caption"))

    def integer(self, name: str) -> int | None:
        given = self.parameters.get(name, "")
        return int(given) if given.lstrip("-").isdecimal() else None

    def is_set(self, name: str) -> bool:
        return self.parameters.get(name, "").lower() == "true"

    def json(self, name: str) -> Any:
        return json.loads(self.parameters.get(name) or "null")


class Where(TypedDict, total=False):
    """Which calls a fault hits; all of them where nothing is said.

    A running `getUpdates` counts as a call too: name the methods, or the chat, where `times` matters.
    """

    times: int  # the next so many calls
    methods: Iterable[str]
    chat: int


class _Fault:
    def __init__(
        self,
        outcome: Outcome,
        where: Where,
        *,
        refusal: RefusalError | None = None,
        seconds: float = 0,
        odd: tuple[int, bytes, dict[str, str]] | None = None,
    ) -> None:
        self.outcome = outcome
        self.refusal = refusal
        self.odd = odd
        self.seconds = seconds
        self._left = where.get("times")
        self._methods = {method.lower() for method in where.get("methods", ())}
        self._chat = where.get("chat")

    def hits(self, call: Call) -> bool:
        """Return if it spoils this call, which then counts."""
        is_meant = (
            self._left != 0
            and (not self._methods or call.method.lower() in self._methods)
            and self._chat in {None, call.chat_id}
        )
        if is_meant and self._left is not None:
            self._left -= 1
        return is_meant


class BotApi(OnLoopback):
    """The fake. Every call and every word of a person wakes `until`."""

    def __init__(self, token: str = TOKEN, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.token = token
        self._clock = clock
        self.calls: list[Call] = []
        self.answers: dict[str, str] = {}  # what the presser of a button was shown, by callback query id
        self.commands: dict[str, dict[str, str]] = {}  # command and its description, by language code ("" is any)
        self.webhook = ""  # the address to which updates go instead
        self.names: dict[int, str] = {}  # first names, by user id
        self._chats: dict[int, Chat] = {}
        self._moved: dict[int, int] = {}
        self._faults: list[_Fault] = []
        self._updates: list[Json] = []
        self._last: dict[str, int] = defaultdict(int)  # the last id given, by kind
        self._polls = 0
        self._changed = asyncio.Condition()
        super().__init__(self._handle)
        self._methods: dict[str, Callable[[Call], Any]] = {
            "getme": lambda _: self._bot_as_json(),
            "sendmessage": self._send_message,
            "sendphoto": self._send_photo,
            "editmessagetext": self._edit_text,
            "editmessagemedia": self._edit_media,
            "editmessagereplymarkup": self._edit_keyboard,
            "deletemessage": self._delete,
            "pinchatmessage": self._pin,
            "unpinchatmessage": self._unpin,
            "answercallbackquery": self._answer_query,
            "setmycommands": self._set_commands,
            "getchat": self._get_chat,
            "getchatmember": self._get_member,
            "sendchataction": self._send_action,
            "deletewebhook": lambda _: True,
            "getwebhookinfo": lambda _: {
                "url": self.webhook,
                "has_custom_certificate": False,
                "pending_update_count": 0,
            },
        }

    @property
    def base_url(self) -> str:
        """What python-telegram-bot calls so; the token follows it."""
        return f"{self.url}/bot"

    # What a test reads

    def chat(self, chat_id: int, *, topics: Iterable[int] = ()) -> Chat:
        """The chat of that id; from here on it exists. Positive is private, -100… a supergroup, else a group."""
        chat = self._chats.setdefault(chat_id, Chat(chat_id))
        chat.topics.update(topics)
        return chat

    @property
    def last_update(self) -> int:
        """The number of the newest update."""
        return self._last["update"]

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method.lower() == method.lower()]

    async def until(self, claim: Callable[[], object], seconds: float = 30.0) -> None:
        """Wait until the claim holds; it is checked after every call and every word of a person.

        Raises:
            AssertionError: it did not hold in time; says what was seen instead.
        """
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: bool(claim()))
        except TimeoutError:
            raise AssertionError(f"not so within {seconds:g} s; seen: {self.seen()}") from None

    def seen(self) -> str:
        """Return the chats and the last calls in words."""
        lines = [
            f"chat {chat.id}: " + (" | ".join(map(repr, chat.texts)) or "no messages") for chat in self._chats.values()
        ]
        lines += [
            f"{call.at:%H:%M:%S.%f} {call.method} {call.outcome} {call.refusal}".rstrip() for call in self.calls[-20:]
        ]
        return "\n  ".join(["", *lines])

    # What people do

    async def says(
        self,
        chat_id: int,
        user_id: int,
        text: str,
        topic: int | None = None,
        *,
        ago: timedelta = timedelta(0),
        reply_to: int | None = None,
    ) -> Message:
        """A person writes into a chat, now or some time ago."""
        chat = self.chat(chat_id)
        version = Version(text, text, None, self._clock() - ago)
        message = Message(self._next("message"), chat, self._person(user_id), [version], topic=topic, reply_to=reply_to)
        chat.history[message.id] = message
        await self.sends_update("message", message.as_json())
        return message

    async def press(self, message: Message, button: str, user_id: int | None = None) -> str:
        """A person presses the button of that text; return the id of the callback query.

        In a private chat that person is the chat's own unless another one is named.
        """
        return await self.press_with(message, message.button(button).data or "", user_id)

    async def press_with(self, message: Message, data: str, user_id: int | None = None) -> str:
        """A person's program sends data as if it had been under that message; any program can."""
        query_id = str(self._next("query"))
        query = {
            "id": query_id,
            "from": self._person(message.chat.id if user_id is None else user_id),
            "message": message.as_json(),
            "chat_instance": str(message.chat.id),
            "data": data,
        }
        await self.sends_update("callback_query", query)
        return query_id

    # Bad days: each until `recovers`, or for the next so many calls

    def fails_with(
        self, status: int, description: str | None = None, *, retry_after: int = 1, **where: Unpack[Where]
    ) -> None:
        """Refuse calls with that HTTP status; a 429 has a `retry_after` in seconds, a 502 is a page of HTML."""
        parameters = {"retry_after": retry_after} if status == 429 else {}
        refusal = RefusalError(status, description, **parameters)
        self._faults.append(_Fault(Outcome.REFUSED, where, refusal=refusal))

    def answers_with(
        self, status: int, body: str | bytes, headers: dict[str, str] | None = None, **where: Unpack[Where]
    ) -> None:
        """Do nothing and answer with that, as a proxy, a login page or a broken server does."""
        content = body.encode(errors="surrogatepass") if isinstance(body, str) else body
        self._faults.append(_Fault(Outcome.ODD, where, odd=(status, content, headers or {})))

    def numbers_updates_from(self, number: int) -> None:
        """Give the next update that number, as Telegram does after a week without updates."""
        self._last["update"] = number - 1

    def hangs(self, **where: Unpack[Where]) -> None:
        """Accept calls, do nothing and never answer."""
        self._faults.append(_Fault(Outcome.HANGS, where))

    def does_then_hangs(self, **where: Unpack[Where]) -> None:
        """Do what is requested and never answer."""
        self._faults.append(_Fault(Outcome.DONE_THEN_HANGS, where))

    def does_then_resets(self, **where: Unpack[Where]) -> None:
        """Do what is requested and drop the connection instead of answering."""
        self._faults.append(_Fault(Outcome.DONE_THEN_RESET, where))

    def answers_late(self, seconds: float, **where: Unpack[Where]) -> None:
        """Do what is requested at once and answer after that many seconds."""
        self._faults.append(_Fault(Outcome.DONE_LATE, where, seconds=seconds))

    def migrates(self, chat_id: int, new_chat_id: int) -> Chat:
        """The group becomes a supergroup: its old id is refused from here on, whatever recovers."""
        self._moved[chat_id] = new_chat_id
        return self.chat(new_chat_id)

    async def refuses_connections(self) -> None:
        """Close the port and every connection to it."""
        await self._server.close()

    async def accepts_connections(self) -> None:
        """Open the same port again."""
        await self._server.open()

    def recovers(self) -> None:
        """End every fault but a closed port; what hangs already stays hanging."""
        self._faults.clear()

    # One call

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        token, _, method = request.path.removeprefix("/bot").partition("/")
        call = Call(method, self._clock(), *await _read(request), host=request.host)
        self.calls.append(call)
        await self._notify()
        try:
            return await self._answer(request, call, token)
        finally:
            call.ended_at = self._clock()

    async def _answer(self, request: web.BaseRequest, call: Call, token: str) -> web.StreamResponse:
        fault = next((fault for fault in self._faults if fault.hits(call)), None)
        if fault and fault.outcome is Outcome.HANGS:
            call.outcome = Outcome.HANGS
            return await never()
        if fault and fault.odd:
            call.outcome = Outcome.ODD
            status, body, headers = fault.odd
            await self._notify()
            return web.Response(status=status, body=body, headers=headers)
        try:
            result = await self._do(call, token, fault)
        except RefusalError as refusal:
            call.outcome, call.refusal = Outcome.REFUSED, refusal.description
            await self._notify()
            return refusal.as_response()
        answer = web.json_response({"ok": True, "result": result})
        call.outcome = fault.outcome if fault else Outcome.DONE
        await self._notify()
        if fault:
            await self._spoil(fault, request)
        return answer

    async def _do(self, call: Call, token: str, fault: _Fault | None) -> Any:
        if token != self.token:
            raise RefusalError(401)
        if fault and fault.refusal:
            raise fault.refusal
        method = call.method.lower()
        if method == "getupdates":
            return await self._get_updates(call)
        if method not in self._methods:
            raise RefusalError(404)
        return self._methods[method](call)

    async def _spoil(self, fault: _Fault, request: web.BaseRequest) -> None:
        """Keep the answer back as the fault wants it."""
        if fault.outcome is Outcome.DONE_LATE:
            await asyncio.sleep(fault.seconds)
        elif fault.outcome is Outcome.DONE_THEN_HANGS:
            await never()
        elif fault.outcome is Outcome.DONE_THEN_RESET and request.transport:
            request.transport.abort()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _next(self, kind: str) -> int:
        self._last[kind] += 1
        return self._last[kind]

    # Updates

    async def sends_update(self, kind: str, content: Any) -> None:
        """An update of that kind, whatever it holds."""
        self._updates.append({"update_id": self._next("update"), kind: content})
        await self._notify()

    async def _get_updates(self, call: Call) -> list[Json]:
        self._polls += 1
        mine = self._polls
        offset = call.integer("offset") or 0
        if offset < 0:
            self._updates = self._updates[offset:]
        elif offset <= self._last["update"] + 1:  # what is further in the future confirms nothing
            self._updates = [update for update in self._updates if update["update_id"] >= offset]
        await self._notify()
        try:
            async with asyncio.timeout(min(call.integer("timeout") or 0, MAX_WAIT)), self._changed:
                await self._changed.wait_for(lambda: self._updates or self._polls != mine)
        except TimeoutError:
            pass  # nothing was said in that time
        if self._polls != mine:
            raise RefusalError(409)
        return self._updates[: call.integer("limit") or 100]

    # Methods

    def _send_message(self, call: Call) -> Json:
        chat = self._chat_of(call)
        return self._put(chat, call, _text_of(call, "text", MAX_TEXT)).as_json()

    def _send_photo(self, call: Call) -> Json:
        chat = self._chat_of(call)
        photo = next(iter(call.files.values()), b"")
        if not photo:
            raise RefusalError(400, "Bad Request: there is no photo in the request")
        if not photo.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff")):
            raise RefusalError(400, "Bad Request: IMAGE_PROCESS_FAILED")
        message = self._put(chat, call, _text_of(call, "caption", MAX_CAPTION))
        message.photo = photo
        return message.as_json()

    def _put(self, chat: Chat, call: Call, version: Version) -> Message:
        topic, reply_to = call.integer("message_thread_id"), _reply_of(call, chat)
        if topic is None and reply_to is not None:
            topic = chat.history[reply_to].topic  # a reply goes to where it replies
        if topic in chat.shut_topics:
            raise RefusalError(400, chat.shut_topics[topic])
        if topic is not None and topic not in chat.topics:
            raise RefusalError(400, "Bad Request: message thread not found")
        message = Message(
            id=self._next("message"),
            chat=chat,
            sender=self._bot_as_json(),
            versions=[version],
            keyboard=_keyboard_of(call),
            reply_to=_reply_of(call, chat),
            topic=topic,
            is_silent=call.is_set("disable_notification"),
        )
        chat.history[message.id] = message
        return message

    def _edit_text(self, call: Call) -> Json:
        message = self._own_message_of(call, "edit")
        version = _text_of(call, "text", MAX_TEXT)
        if message.photo is not None:
            raise RefusalError(400, "Bad Request: there is no text in the message to edit")
        return self._change(message, version, _keyboard_of(call)).as_json()

    def _edit_media(self, call: Call) -> Json:
        message = self._own_message_of(call, "edit")
        media = call.json("media") or {}
        photo = call.files.get(str(media.get("media", "")).removeprefix("attach://"), b"")
        if media.get("type") != "photo" or not photo:
            raise RefusalError(400, "Bad Request: there is no photo in the request")
        caption = replace(call, parameters={**call.parameters, **{name: str(text) for name, text in media.items()}})
        changed = self._change(message, _text_of(caption, "caption", MAX_CAPTION), _keyboard_of(call), photo)
        return changed.as_json()

    def _edit_keyboard(self, call: Call) -> Json:
        message = self._own_message_of(call, "edit")
        return self._change(message, message.versions[-1], _keyboard_of(call)).as_json()

    def _change(self, message: Message, version: Version, keyboard: Keyboard, photo: bytes | None = None) -> Message:
        is_same = (message.source, message.parse_mode) == (version.source, version.parse_mode)
        is_same = is_same and photo in (None, message.photo)
        message.photo = photo or message.photo
        if is_same and message.keyboard == keyboard:
            raise RefusalError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        message.keyboard = keyboard
        if not is_same:
            message.versions.append(version)
        return message

    def _delete(self, call: Call) -> bool:
        message = self._message_of(call, "delete")
        del message.chat.history[message.id]
        return True

    def _pin(self, call: Call) -> bool:
        message = self._message_of(call, "pin")
        message.chat.pinned = [pinned for pinned in message.chat.pinned if pinned != message.id] + [message.id]
        return True

    def _unpin(self, call: Call) -> bool:
        pinned = self._chat_of(call).pinned
        message_id = call.integer("message_id") or next(reversed(pinned), None)
        if message_id not in pinned:
            raise RefusalError(400, "Bad Request: message to unpin not found")
        pinned.remove(message_id)
        return True

    def _answer_query(self, call: Call) -> bool:
        query_id = call.parameters.get("callback_query_id", "")
        if not 0 < int(query_id or 0) <= self._last["query"] or query_id in self.answers:
            raise RefusalError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        if len(call.text or "") > MAX_TOAST:
            raise RefusalError(400, "Bad Request: MESSAGE_TOO_LONG")
        self.answers[query_id] = call.text or ""
        return True

    def _set_commands(self, call: Call) -> bool:
        commands = {command["command"]: command["description"] for command in call.json("commands") or []}
        if len(commands) > MAX_COMMANDS:
            raise RefusalError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for name, description in commands.items():
            if not (name.isidentifier() and name == name.lower() and len(name) <= 32 and 0 < len(description) <= 256):
                raise RefusalError(400, "Bad Request: BOT_COMMAND_INVALID")
        self.commands[call.parameters.get("language_code", "")] = commands
        return True

    def _send_action(self, call: Call) -> bool:
        if self._chat_of(call).is_channel:
            raise RefusalError(400, "Bad Request: method is available for private and group chats only")
        return True

    def _get_chat(self, call: Call) -> Json:
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        chat = self._chat_of(call)
        more = {} if chat.kind == "private" else {"permissions": dict.fromkeys(chat.permissions, True)}
        return chat.as_json() | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, True),
            **more,
        }

    def _get_member(self, call: Call) -> Json:
        chat = self._chat_of(call)
        user_id = call.integer("user_id") or 0
        is_bot = user_id == self._bot_as_json()["id"]
        status = chat.members.get(user_id, "member")
        given = chat.rights.get(user_id, set())
        rights = {name: name in given for name in RIGHTS.get(status, ())}
        until = {"until_date": 0} if status in {"restricted", "kicked"} else {}
        return {
            "user": self._bot_as_json() if is_bot else self._person(user_id),
            "status": status,
            **rights,
            **until,
        }

    # What a call speaks of

    def _bot_as_json(self) -> Json:
        bot_id = int(self.token.partition(":")[0])
        return {"id": bot_id, "is_bot": True, "first_name": "Wine SLO", "username": "wine_slo_bot"}

    def _person(self, user_id: int) -> Json:
        name = self.names.get(user_id, f"Person {user_id}")
        return {"id": user_id, "is_bot": False, "first_name": name, "language_code": "en"}

    def _chat_of(self, call: Call) -> Chat:
        chat_id = call.chat_id
        if chat_id in self._moved:
            raise RefusalError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=self._moved[chat_id],
            )
        if chat_id not in self._chats:
            raise RefusalError(400, "Bad Request: chat not found")
        return self._chats[chat_id]

    def _message_of(self, call: Call, action: str) -> Message:
        message = self._chat_of(call).history.get(call.integer("message_id") or 0)
        if message is None:
            raise RefusalError(400, f"Bad Request: message to {action} not found")
        return message

    def _own_message_of(self, call: Call, action: str) -> Message:
        message = self._message_of(call, action)
        if not message.is_from_bot:
            raise RefusalError(400, f"Bad Request: message can't be {action}ed")
        return message


async def _read(request: web.BaseRequest) -> tuple[dict[str, str], dict[str, bytes]]:
    """The parameters and the files of a call: from its query, form, JSON or multipart body."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        given |= await request.json()
    else:
        given |= await request.post()
    parameters, files = {}, {}
    for name, value in given.items():
        if isinstance(value, web.FileField):
            with value.file:
                files[name] = value.file.read()
        else:
            parameters[name] = value if isinstance(value, str) else json.dumps(value)
    return parameters, files


def _text_of(call: Call, name: str, limit: int) -> Version:
    source, mode = call.parameters.get(name, ""), call.parameters.get("parse_mode")
    try:
        text = visible_text(source).strip() if mode == "HTML" else source.strip()
    except MarkupError as error:
        raise RefusalError(400, f"Bad Request: can't parse entities: {error}") from error
    if mode not in {None, "HTML"}:
        raise RefusalError(400, "Bad Request: unsupported parse_mode")
    if name == "text" and not text:
        raise RefusalError(400, "Bad Request: message text is empty")
    if len(text) > limit:
        raise RefusalError(400, f"Bad Request: message {'caption ' * (name == 'caption')}is too long")
    return Version(text, source, mode, call.at)


def _keyboard_of(call: Call) -> Keyboard:
    markup = call.json("reply_markup") or {}
    rows = tuple(
        tuple(Button(button.get("text", ""), button.get("callback_data"), button.get("url")) for button in row)
        for row in markup.get("inline_keyboard", [])
    )
    buttons = [button for row in rows for button in row]
    if len(buttons) > MAX_BUTTONS or any(len(row) > MAX_BUTTONS_IN_ROW for row in rows):
        raise RefusalError(400, "Bad Request: reply markup is too long")
    for button in buttons:
        if not button.text.strip():
            raise RefusalError(400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed")
        if button.data is None and button.url is None:
            raise RefusalError(
                400,
                "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            )
        if button.url is not None and "." not in (urlsplit(button.url).hostname or ""):
            raise RefusalError(
                400, f"Bad Request: inline keyboard button URL '{button.url}' is invalid: Wrong HTTP URL"
            )
        if button.data is not None and not 1 <= len(button.data.encode()) <= MAX_CALLBACK_DATA:
            raise RefusalError(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def _reply_of(call: Call, chat: Chat) -> int | None:
    """The id of the message that is replied to; None where there is none and that is allowed."""
    wanted = call.json("reply_parameters") or {
        "message_id": call.integer("reply_to_message_id"),
        "allow_sending_without_reply": call.is_set("allow_sending_without_reply"),
    }
    message_id: int | None = wanted["message_id"]
    if message_id is None or message_id in chat.history:
        return message_id
    if wanted.get("allow_sending_without_reply"):
        return None
    raise RefusalError(400, "Bad Request: message to be replied not found")
