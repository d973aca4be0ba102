"""FastAPI with a pydantic model of the wine."""

from typing import Any

from fastapi import FastAPI
from model import NAMES, predict
from pydantic import Field, create_model

Wine: Any = create_model(
    "Wine",
    **{f"m{place}": (float, Field(alias=name)) for place, name in enumerate(NAMES)},  # type: ignore[call-overload]
)
app = FastAPI()


@app.post("/predict")
async def classify(wine: Wine) -> dict[str, Any]:
    """Classify one wine; inline, which is faster than FastAPI's thread pool."""
    return predict([list(wine.model_dump().values())])[0]
