"""Why a chat refuses messages, as people say it: what Telegram writes is for programs, and in English.

Source of its texts: https://github.com/tdlib/telegram-bot-api (Client.cpp) and tdlib's own errors.
"""

import re

from wine_slo.slo.reason import Reason, phrase
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import shortened

SAID = (  # a part of what is written, in small letters, and what it means
    ("bot was blocked by the user", phrase("the bot was blocked there")),
    ("bot was kicked", phrase("the bot was removed from the chat")),
    ("bot is not a member", phrase("the bot is not a member of the chat")),
    ("user is deactivated", phrase("the account was deleted")),
    ("bot can't initiate conversation", phrase("nobody has pressed Start there yet")),
    ("chat not found", phrase("chat not found; the id is wrong, or the bot was never there")),
    ("user not found", phrase("chat not found; the id is wrong, or the bot was never there")),
    ("peer_id_invalid", phrase("chat not found; the id is wrong, or the bot was never there")),
    ("group chat was deactivated", phrase("the group was deleted")),
    ("topic_closed", phrase("the topic is closed")),
    ("topic_deleted", phrase("the topic was deleted")),
    ("thread not found", phrase("the topic was deleted")),
    ("rights", phrase("the bot has no right to send messages there")),
    ("may not send messages", phrase("the bot has no right to send messages there")),
    ("chat_write_forbidden", phrase("the bot has no right to send messages there")),
    ("chat_restricted", phrase("the bot has no right to send messages there")),
    ("does not know the token", phrase("Telegram does not know the token")),
    ("gives no reason", phrase("Telegram gives no reason")),
)
NO_ANSWER = (
    (re.compile(r"Telegram requires a wait of (?P<seconds>\d+) s"), phrase("Telegram requires a wait of {seconds} s")),
    (re.compile(r"Telegram cannot be reached \((?P<error>.*)\)"), phrase("Telegram cannot be reached ({error})")),
    (re.compile(r"what answers is no Bot API \((?P<code>\d+)\)"), phrase("what answers is no Bot API ({code})")),
)


def refusal(fmt: Formatter, text: str) -> str:
    """Return why a chat refuses messages in the readers' language, as HTML; what nobody knows, as it is written."""
    for part, sentence in SAID:
        if part in text.lower():
            return fmt.say(sentence)
    for pattern, sentence in NO_ANSWER:
        if found := pattern.fullmatch(text):
            return fmt.language.explain(Reason(sentence, found.groupdict()))
    return shortened(text)
