"""Flask."""

from typing import Any

from flask import Flask, request
from model import NAMES, predict

app = Flask(__name__)


@app.post("/predict")
def classify() -> dict[str, Any]:
    """Classify one wine."""
    wine = request.get_json()
    return predict([[float(wine[name]) for name in NAMES]])[0]
