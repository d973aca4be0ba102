"""Forget what is old, a small batch at a time: closed incidents, their delivery records, and what people did then."""

from datetime import UTC, datetime

import sqlalchemy as sa

from wine_slo.integrations.storage.schema import ACTIONS, DELIVERIES, INCIDENTS

AT_ONCE = 200  # rows in one transaction, which takes milliseconds


def forget(connection: sa.Connection, before: datetime) -> int:
    """Delete one batch of what was over before a time; return how many incidents and actions that were.

    An open incident stays with all that belongs to it, however old. No number is given twice: the last one of an
    incident is a fact of its own, and the newest action stays.
    """
    limit = before.astimezone(UTC).isoformat()
    closed = sa.select(INCIDENTS.c.number).where(INCIDENTS.c.closed_at < limit).order_by(INCIDENTS.c.number)
    numbers = connection.scalars(closed.limit(AT_ONCE)).all()
    is_open = sa.select(INCIDENTS.c.number).where(INCIDENTS.c.closed_at.is_(None))
    newest = sa.select(sa.func.max(ACTIONS.c.number)).scalar_subquery()
    done = (
        sa.select(ACTIONS.c.number)
        .where(ACTIONS.c.at < limit, ACTIONS.c.number != newest)
        .where(sa.or_(ACTIONS.c.incident.is_(None), ACTIONS.c.incident.not_in(is_open)))
    )
    actions = connection.scalars(done.order_by(ACTIONS.c.number).limit(AT_ONCE)).all()
    if numbers:
        connection.execute(DELIVERIES.delete().where(DELIVERIES.c.incident.in_(numbers)))
        connection.execute(INCIDENTS.delete().where(INCIDENTS.c.number.in_(numbers)))
    if actions:
        connection.execute(ACTIONS.delete().where(ACTIONS.c.number.in_(actions)))
    return len(numbers) + len(actions)
