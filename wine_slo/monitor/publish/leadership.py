"""Who leads and who stands by, for machines."""

from typing import Any

from aiohttp import web

from wine_slo.slo.lease import Leadership, LeadershipStatus, Watchdog, WatchdogStatus


def role_of(leadership: Leadership) -> str:
    """Return the role of this watchdog: alone, leader, silent or standby."""
    if leadership.is_alone:
        return "alone"
    if leadership.leads:
        return "leader"
    has_lease = leadership.leader is not None and leadership.leader.id == leadership.me.id
    return "silent" if has_lease else "standby"


def leadership_status(leadership: Leadership) -> LeadershipStatus | None:
    """Return who leads, for a status; None where there is only one watchdog."""
    if leadership.is_alone:
        return None
    return LeadershipStatus(
        role=role_of(leadership),
        epoch=leadership.number,
        leader=_shown(leadership.leader) if leadership.leader else None,
        seen_seconds=leadership.seen_seconds,
        standbys=tuple(map(_shown, leadership.standbys)),
    )


def described(leadership: Leadership) -> dict[str, Any]:
    """Return the same for `/health`."""
    status = leadership_status(leadership)
    if status is None:
        return {"role": role_of(leadership)}
    return {
        "role": status.role,
        "epoch": status.epoch,
        "leader": _dict(status.leader) if status.leader else None,
        "lease_seen_seconds": None if status.seen_seconds is None else round(status.seen_seconds, 3),
        "standbys": [_dict(each) for each in status.standbys],
    }


def _shown(watchdog: Watchdog) -> WatchdogStatus:
    return WatchdogStatus(host=watchdog.host, pid=watchdog.pid, since=watchdog.since)


def _dict(watchdog: WatchdogStatus) -> dict[str, Any]:
    return {"host": watchdog.host, "pid": watchdog.pid, "since": watchdog.since.isoformat()}


async def alive(_request: web.Request) -> web.Response:
    """Report that this process answers, for a supervisor that restarts what does not.

    It says nothing of Prometheus, Telegram or the database, as a restart would mend none of them.
    """
    return web.json_response({"status": "alive"})
