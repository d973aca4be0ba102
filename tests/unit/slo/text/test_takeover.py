"""What a takeover reads like where the names of two watchdogs are nearly the same."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from tests.support.scene import ALL, at
from wine_slo.slo.lease import Leadership, Lease, Taken, Watchdog
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.status_list import takeover_text

OLD = Watchdog(id="old", host="wine", boot="", pid=1, since=at(0))
FMT = Formatter(ALL, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("new", "names"),
    [
        pytest.param({"host": "beer"}, ("beer", "wine"), id="two machines"),
        pytest.param({"pid": 2}, ("wine (2)", "wine (1)"), id="one machine"),
        pytest.param({}, ("wine (since 19:40:07)", "wine (since 19:40:00)"), id="a container in the place of another"),
    ],
)
def test_both_are_named_so_that_they_differ(new: dict[str, object], names: tuple[str, str]) -> None:
    me = replace(OLD, id="new", since=at(7), **new)  # type: ignore[arg-type]
    leadership = Leadership(me=me, taken=Taken(before=Lease(leader=OLD), is_dead=True, silent_for=1))
    first = takeover_text(FMT, leadership, None, at(9)).splitlines()[0]
    assert first == f"🔄 The watchdog on {names[0]} took over from {names[1]}, which ended unexpectedly."
