"""What the doctor finds of Telegram: the bot, and what it may do in each chat."""

from wine_slo.integrations.telegram.rights import RightsError, TelegramRights
from wine_slo.monitor.commands.finding import Findings, ok, warning, wrong
from wine_slo.monitor.settings import WatchdogSettings


async def telegram_findings(settings: WatchdogSettings, telegram: TelegramRights | None) -> Findings:
    """Yield what is found of the bot and of its chats."""
    about = "telegram"
    if telegram is None:
        yield warning(
            about,
            "no token is set: messages are printed by the watchdog instead",
            "make a bot with @BotFather and set WINE_SLO_TELEGRAM_TOKEN",
        )
        return
    try:
        identity = await telegram.identity()
    except RightsError as error:
        if error.is_stranger:
            yield wrong(about, str(error), "copy it from @BotFather again: digits, a colon, 35 signs")
        else:
            yield wrong(
                about, f"cannot be reached: {error}", "check the network, or set WINE_SLO_TELEGRAM_PROXY or _API_URL"
            )
        return
    yield ok(about, f"the token is that of @{identity.username}")
    if identity.has_webhook:
        yield wrong(
            about,
            "the bot's updates go to a webhook, so that no command is received here",
            "end it with deleteWebhook, or use a bot of its own",
        )
    if not settings.telegram_chat_ids:
        yield warning(
            about,
            "no chat is set: messages are printed by the watchdog instead",
            f"send /id to @{identity.username} in the chat that is to be notified, and set WINE_SLO_TELEGRAM_CHAT_IDS",
        )
    for chat in (*settings.telegram_chat_ids, *settings.telegram_second_chat_ids):
        async for finding in _chat(chat, telegram):
            yield finding


async def _chat(chat: int, telegram: TelegramRights) -> Findings:
    about = "chat"
    try:
        rights = await telegram.rights(chat)
    except RightsError as error:
        if error.moved_to is not None:
            yield wrong(
                about,
                f"{chat} has become the supergroup {error.moved_to}",
                f"write {error.moved_to} instead of {chat} into the settings",
            )
        elif error.is_unreachable:
            yield wrong(about, f"{chat} could not be examined: {error}", "try again")
        else:
            yield wrong(
                about,
                f"{chat} is not open to the bot: {error}",
                "add the bot to the group, or send it /start in a private chat; /id says the right id",
            )
        return
    name = f"{chat} ({' '.join(rights.title.split())[:60]})"
    if not rights.is_member:
        yield wrong(about, f"the bot is not in {name}", "add it to the chat")
    elif not rights.may_send:
        yield wrong(about, f"the bot may not write in {name}", "let it send messages there")
    else:
        yield ok(about, f"the bot may write in {name}")
        if not rights.may_send_pictures:
            yield warning(about, f"the bot may not send pictures in {name}", "let it send photos, for the charts")
        if not rights.may_pin:
            yield warning(about, f"the bot may not pin in {name}", "let it pin messages, for the board")
