"""What a button carries, so that nobody can forge one: its verb and arguments, bound to a chat by a signature.

Telegram keeps 64 bytes with a button and hands them back at each press, from any client. The key is
derived from the bot's token, so buttons outlive a restart and end with the token.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from wine_slo.slo.chat.messages import Button

MAX_BYTES = 64  # Telegram's limit
SIGNATURE_BYTES = 12  # 96 bits; a guess is a request to Telegram, and each is counted
SEPARATOR = "|"


class CallbackData:
    """Signs what buttons carry, and reads it.

    Args:
        secret: What nobody else knows.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"buttons of wine-slo", hashlib.sha256)

    def close(self, chat: int, button: Button) -> str:
        """Return what a button in that chat carries.

        Raises:
            ValueError: It does not fit, or an argument holds a `|`.
        """
        parts = (button.verb, *button.arguments)
        if any(SEPARATOR in each for each in parts):
            raise ValueError(f"the button {button.label!r} has an argument with {SEPARATOR!r}")
        content = SEPARATOR.join(parts)
        data = f"{content}{SEPARATOR}{self._signature(chat, content)}"
        if len(data.encode()) > MAX_BYTES:
            raise ValueError(f"the button {button.label!r} carries more than {MAX_BYTES} bytes")
        return data

    def open(self, chat: int, data: str) -> tuple[str, tuple[str, ...]] | None:
        """Return the verb and the arguments; None where it was not closed by us for that chat."""
        content, _, signature = data.rpartition(SEPARATOR)
        if not hmac.compare_digest(signature.encode(), self._signature(chat, content).encode()):
            return None
        verb, *arguments = content.split(SEPARATOR)
        return verb, tuple(arguments)

    def _signature(self, chat: int, content: str) -> str:
        digest = hmac.digest(self._key, f"{chat} {content}".encode(), hashlib.sha256)
        return urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode()
