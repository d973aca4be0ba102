"""What a person would see in their chats, in the shapes in which Telegram sends it to a bot."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Button:
    """One button under a message: pressing it gives `data` to the bot or opens `url`."""

    text: str
    data: str | None = None
    url: str | None = None

    def as_json(self) -> Json:
        action = {"url": self.url} if self.data is None else {"callback_data": self.data}
        return {"text": self.text, **action}


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said from `at` on."""

    text: str  # as a person reads it
    source: str  # as it was sent, with its markup
    parse_mode: str | None
    at: datetime


@dataclass(slots=True)
class Message:
    """One message that can be seen in a chat."""

    id: int
    chat: "Chat"
    sender: Json
    versions: list[Version]  # the last one is what is seen now
    keyboard: Keyboard = ()
    reply_to: int | None = None
    topic: int | None = None
    is_silent: bool = False
    photo: bytes | None = None

    @property
    def text(self) -> str:
        return self.versions[-1].text

    @property
    def source(self) -> str:
        return self.versions[-1].source

    @property
    def parse_mode(self) -> str | None:
        return self.versions[-1].parse_mode

    @property
    def sent_at(self) -> datetime:
        return self.versions[0].at

    @property
    def edits(self) -> list[Version]:
        return self.versions[1:]

    @property
    def is_loud(self) -> bool:
        return not self.is_silent

    @property
    def is_from_bot(self) -> bool:
        return bool(self.sender["is_bot"])

    @property
    def buttons(self) -> list[str]:
        return [button.text for row in self.keyboard for button in row]

    def button(self, text: str) -> Button:
        """The button of that text; a KeyError names those there are."""
        for row in self.keyboard:
            for button in row:
                if button.text == text:
                    return button
        raise KeyError(f"no button {text!r} under message {self.id}, only {self.buttons}")

    def as_json(self) -> Json:
        answer: Json = {
            "message_id": self.id,
            "from": self.sender,
            "chat": self.chat.as_json(),
            "date": int(self.sent_at.timestamp()),
        }
        if self.photo is None:
            answer["text"] = self.text
        else:
            answer["caption"] = self.text
            answer["photo"] = [{"file_id": f"photo{self.id}", "file_unique_id": f"p{self.id}", "width": 1, "height": 1}]
        if self.edits:
            answer["edit_date"] = int(self.versions[-1].at.timestamp())
        if self.keyboard:
            rows = [[button.as_json() for button in row] for row in self.keyboard]
            answer["reply_markup"] = {"inline_keyboard": rows}
        if self.topic is not None:
            answer |= {"message_thread_id": self.topic, "is_topic_message": True}
        if self.reply_to is not None and (replied := self.chat.history.get(self.reply_to)):
            answer["reply_to_message"] = replied.as_json()
        if self.text.startswith("/"):
            command = self.text.split(maxsplit=1)[0]
            answer["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
        return answer


@dataclass(slots=True)
class Chat:
    """A private chat, a group or a supergroup that the bot is in; `topics` are those of a forum."""

    id: int
    topics: set[int] = field(default_factory=set)
    shut_topics: dict[int, str] = field(default_factory=dict)  # how Telegram refuses what is sent there, by topic
    history: dict[int, Message] = field(default_factory=dict)  # by message id, people's words among them
    pinned: list[int] = field(default_factory=list)  # message ids, the newest last
    members: dict[int, str] = field(default_factory=dict)  # status by user id where it is not "member"
    rights: dict[int, set[str]] = field(default_factory=dict)  # of administrators and the restricted, by user id
    permissions: set[str] = field(default_factory=lambda: {"can_send_messages", "can_send_photos"})  # of all others
    is_channel: bool = False

    @property
    def messages(self) -> list[Message]:
        """What the bot said and has not deleted."""
        return [message for message in self.history.values() if message.is_from_bot]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def kind(self) -> str:
        if self.id > 0:
            return "private"
        if self.is_channel:
            return "channel"
        return "supergroup" if str(self.id).startswith("-100") else "group"

    def as_json(self) -> Json:
        if self.kind == "private":
            return {"id": self.id, "type": "private", "first_name": f"Person {self.id}"}
        forum = {"is_forum": True} if self.topics else {}
        return {"id": self.id, "type": self.kind, "title": f"Chat {self.id}", **forum}
