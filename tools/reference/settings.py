"""Every setting: what it is for, as its field says, on the page and in `.env.example`."""

import textwrap
from collections.abc import Iterator

from tools.reference.markdown import code, table
from wine_slo.config.environment import PREFIX, ComposeSettings, Setting, listed
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.settings import ServerSettings

HEAD = ("setting", "default", "value", "what it is for")
WIDTH = 118  # letters of a comment in a line
# The field of the watchdog's settings with which each group begins.
GROUPS = {
    "prometheus_url": "Prometheus",
    "poll_seconds": "How the watchdog works",
    "watchdog_host": "The pages of the watchdog",
    "service_url": "What the watchdog is linked with",
    "telegram_token": "Telegram",
    "escalate_minutes": "When and how chats are notified",
}
SYSTEMD = "Set by systemd"


def groups() -> dict[str, list[Setting]]:
    """Return all settings by who reads them, in the order of the page."""
    server, watchdog = listed(ServerSettings), listed(WatchdogSettings)
    common = {each.variable for each in server} & {each.variable for each in watchdog}
    found = {
        "The server": [each for each in server if each.variable not in common],
        "The server and the watchdog": [each for each in server if each.variable in common],
    }
    group = ""
    for each in watchdog:
        group = GROUPS.get(each.field, group)
        if each.variable not in common:
            found.setdefault(group if each.variable.startswith(PREFIX) else SYSTEMD, []).append(each)
    if lost := GROUPS.keys() - {each.field for each in watchdog}:
        raise ValueError(f"{lost} is no setting, so that no group begins with it")
    return found | {"Docker compose alone": listed(ComposeSettings)}


def page() -> str:
    """Return the tables of the page, with a heading each."""
    return "\n\n".join(
        f"## {group}\n\n{table(HEAD, map(_row, settings))}" for group, settings in groups().items() if settings
    )


def example() -> str:
    """Return the settings for `.env.example`, each with a comment above it."""
    return "\n\n".join(
        "\n".join([f"## {group}", *(line for each in settings for line in _example(each))])
        for group, settings in groups().items()
        if group != SYSTEMD
    )


def _row(setting: Setting) -> tuple[str, ...]:
    names = " or ".join(code(name) for name in setting.variables)
    secret = "Secret. " if setting.is_secret else ""
    return names, code(setting.default), setting.wanted, f"{secret}{setting.about}"


def _example(setting: Setting) -> Iterator[str]:
    text = f"{setting.about} Value: {setting.wanted}."
    yield from textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
    for name in setting.variables:
        yield f"#{name}={setting.default if name == setting.variable else ''}"
