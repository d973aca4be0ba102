"""Litestar with a msgspec struct of the wine."""

from typing import Any

import msgspec
from litestar import Litestar, post
from model import NAMES, predict

Wine: Any = msgspec.defstruct(
    "Wine", [(f"m{place}", float, msgspec.field(name=name)) for place, name in enumerate(NAMES)]
)


@post("/predict", status_code=200)
async def classify(data: Wine) -> dict[str, Any]:
    """Classify one wine."""
    return predict([list(msgspec.structs.astuple(data))])[0]


app = Litestar([classify])
