"""How things read for a recipient: in the language that its people have chosen, else in that of the settings."""

from collections.abc import Callable

from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter


class Localizer:
    """Choose the language of a text by who reads it.

    Args:
        recipients: Know their languages.
        formatter_in: Returns how things read in a language, by its code; the empty one is that of the settings.
    """

    def __init__(self, recipients: Recipients, formatter_in: Callable[[str], Formatter]) -> None:
        self._recipients = recipients
        self._formatter_in = formatter_in

    def fmt(self, chat: int) -> Formatter:
        """Return how things read in a chat, by any id that it had."""
        return self._formatter_in(self._recipients.subscriber_at(chat).language)

    def replies(self, chat: int) -> Replies:
        """Return how commands are answered in a chat."""
        return Replies(self.fmt(chat))
