"""Where a message goes, and where one comes from: opaque to everything but the channel that it names."""

from typing import Self


class Address(str):
    """An address: the name of a channel, a chat there, and a thread of that chat where it has any.

    `telegram:-1001/30` is a topic of a forum, `telegram:7` a private chat. What stands for a chat and a thread is for
    the channel to choose and to read; a chat has no slash. People, permissions and delivery records belong to the
    chat; the thread only says where in it a message appears.
    """

    __slots__ = ()

    @classmethod
    def of(cls, channel: str, chat: object, thread: object | None = None) -> Self:
        """Return the address of a chat of a channel, or of a thread of it."""
        return cls(f"{channel}:{chat}" if thread is None else f"{channel}:{chat}/{thread}")

    @property
    def channel(self) -> str:
        """Return the name of the channel."""
        return self.partition(":")[0]

    @property
    def place(self) -> str:
        """Return the address as the settings and people write it, without the channel: `-1001/30`."""
        return self.partition(":")[2]

    @property
    def chat(self) -> Self:
        """Return the address of the whole chat."""
        return type(self)(self.partition("/")[0])

    @property
    def thread(self) -> str | None:
        """Return the thread; None where it is the whole chat."""
        return self.partition("/")[2] or None

    def within(self, thread: str | None) -> Self:
        """Return the address of a thread of this chat; of the whole chat where there is none."""
        return type(self)(self.chat if thread is None else f"{self.chat}/{thread}")
