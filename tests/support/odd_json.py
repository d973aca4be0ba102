"""What JSON can hold in the place of anything."""

from typing import Any

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    10**400,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    [None],
    {"": None},
    [1, "1", 1],
    "9" * 5000,
)
