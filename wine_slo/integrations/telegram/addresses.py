"""Addresses of Telegram: a chat's id, and the id of a topic where the chat is a forum."""

from wine_slo.slo.chat.address import Address

NAME = "telegram"


def address_of(chat: int, topic: int | None = None) -> Address:
    """Return the address of a chat, or of a topic of it."""
    return Address.of(NAME, chat, topic)


def chat_of(address: Address) -> int:
    """Return the id of the chat."""
    return int(address.chat.place)


def topic_of(address: Address) -> int | None:
    """Return the id of the topic; None where it is the whole chat."""
    return None if address.thread is None else int(address.thread)
