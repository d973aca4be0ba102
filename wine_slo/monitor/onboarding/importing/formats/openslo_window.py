"""The time windows of OpenSLO, rolling or of the calendar, as slo.yml has them."""

import re
from dataclasses import dataclass, field

from wine_slo.monitor.onboarding.importing.documents import Part
from wine_slo.monitor.onboarding.importing.remarks import CHANGED

USUAL = "30d"
UNITS = {"h": "hour", "d": "day", "w": "week", "M": "month", "Q": "quarter", "Y": "year", "m": "minute"}
DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
CALENDAR = ("week", "month", "quarter")


@dataclass(frozen=True, slots=True)
class Window:
    """A compliance window.

    Attributes:
        text: As slo.yml has it.
        time_zone: Of a calendar window; empty otherwise.
    """

    text: str
    time_zone: str = ""
    remarks: list[str] = field(default_factory=list)


def window(spec: Part) -> Window:
    """Return the window of an SLO, the usual one where it says none that can be read."""
    part = next(spec.first("timeWindow", "timeWindows").parts(), None)
    if part is None:
        return Window(USUAL, remarks=[f"it says no time window: {USUAL}"])
    text = part.text("duration")
    found = re.fullmatch(r"(\d+)([hdwMQYm])", text)
    count, unit = (int(found[1]), UNITS[found[2]]) if found else (0, "")
    if not found and part.text("count").isdigit():
        count, unit = int(part.text("count")), part.text("unit").lower()
    rolls = part.at("isRolling").content is not False
    if unit == "minute" and not rolls:
        unit = "month"  # `1m` of a calendar, as OpenSLO's own examples write it
    if not rolls and count == 1 and unit in CALENDAR:
        return _of_calendar(part, unit)
    if unit == "hour" and count:
        return Window(f"{count}h")
    if unit not in DAYS or not count:
        return Window(USUAL, remarks=[f"{CHANGED}the window is {USUAL}, as {text or unit or 'its own'} cannot be said"])
    days = f"{count * DAYS[unit]}d"
    if not rolls:
        return Window(
            days, remarks=[f"{CHANGED}the window rolls over {days}: slo.yml has no calendar of {count} {unit}"]
        )
    return Window(days)


def _of_calendar(part: Part, unit: str) -> Window:
    """Return a calendar window, which begins where the calendar's own does."""
    starts = part.at("calendar").first("startTime").content
    remarks = []
    if starts is not None and not str(starts).endswith(("01 00:00:00", "-01")):
        remarks.append(f"{CHANGED}the {unit} begins at midnight of the calendar's, not as of {starts}")
    return Window(unit, part.text("calendar", "timeZone") or "UTC", remarks)
