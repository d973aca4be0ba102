"""Who leads of several watchdogs, and who stands by: what people read of it."""

from datetime import datetime, timedelta

from wine_slo.slo.lease import Leadership, Watchdog
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import shortened


def takeover_text(fmt: Formatter, leadership: Leadership, since: datetime | None, now: datetime) -> str:
    """Return that this watchdog took over from one that had not let go.

    Args:
        fmt: How it reads.
        leadership: Who leads now, and how it came to that.
        since: The last evaluation before; None where there was none.
        now: The first one since.
    """
    taken = leadership.taken
    before = taken.before.leader if taken is not None and taken.before is not None else None
    old, new = name_of(before, leadership), name_of(leadership.me, leadership)
    if taken is not None and not taken.is_dead:
        first = fmt.say(
            "🔄 The watchdog on {new} took over from {old}, which gave no sign of life for {duration}.",
            new=new,
            old=old,
            duration=timedelta(seconds=round(taken.silent_for)),
        )
    else:
        first = fmt.say("🔄 The watchdog on {new} took over from {old}, which ended unexpectedly.", new=new, old=old)
    lines = [first]
    if since is not None and now > since:
        beginning = fmt.beginning(since, now)
        lines.append(
            fmt.say("Not evaluating for {duration}, since {beginning}.", duration=now - since, beginning=beginning)
        )
    lines.append(standby_line(fmt, leadership))
    return "\n".join(lines)


def leadership_lines(fmt: Formatter, leadership: Leadership, now: datetime) -> list[str]:
    """Return who leads and who stands by; nothing where there is only one watchdog by the settings."""
    if leadership.is_alone:
        return []
    leads = fmt.say(
        "The watchdog on {name} leads, running since {since}.",
        name=name_of(leadership.me, leadership),
        since=fmt.beginning(leadership.me.since, now),
    )
    return [f"{leads} {standby_line(fmt, leadership)}" if leadership.standbys else leads, *_missing(fmt, leadership)]


def standby_line(fmt: Formatter, leadership: Leadership) -> str:
    """Return who stands by; a warning where nobody does."""
    if not leadership.standbys:
        return _missing(fmt, leadership)[0]
    names = ", ".join(name_of(each, leadership) for each in leadership.standbys)
    return fmt.say("Standing by: {names}.", names=names)


def name_of(watchdog: Watchdog | None, leadership: Leadership) -> str:
    """Return what people call a watchdog: its machine, and its process where two of them are on one."""
    if watchdog is None:
        return "?"
    taken = leadership.taken
    before = (taken.before.leader,) if taken is not None and taken.before is not None else ()
    hosts = [each.host for each in {leadership.me, *leadership.standbys, *before}]
    name = shortened(watchdog.host)
    return name if hosts.count(watchdog.host) <= 1 else f"{name} ({watchdog.pid})"


def _missing(fmt: Formatter, leadership: Leadership) -> list[str]:
    if leadership.standbys:
        return []
    return [f"🟠 {fmt.say('No other watchdog stands by: if this one ends, nobody takes over.')}"]
