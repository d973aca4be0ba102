"""The files that come with the package: the model, the objectives of the service, and what `init --example` copies.

A wheel holds them in `wine_slo/shipped`, where pyproject.toml puts them. In a checkout they are where people edit them.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
FOLDER = PACKAGE / "shipped" if (PACKAGE / "shipped").is_dir() else PACKAGE.parent
OBJECTIVES, MODEL = "config/slo.yml", "models/model.pkl"  # as the settings have them by default
SCHEMA, PROMETHEUS, SETTINGS = "slo.schema.json", "prometheus.yml", ".env.example"


def read(name: str) -> str:
    """Return the text of a file that comes with the package."""
    return (FOLDER / name).read_text(encoding="utf-8")


def in_place_of(default: str) -> Path | None:
    """Return the file to use where a setting has its default and the folder of that is not here; else None.

    A folder `config` without its file, as a mount may be, is a mistake: nobody means the objectives of the package.
    """
    path = FOLDER / default
    is_here = os.path.lexists(Path(default).parent)
    return path if default in {OBJECTIVES, MODEL} and not is_here and path.exists() else None
