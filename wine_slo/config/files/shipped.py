"""The files that come with the package: the model, the objectives of the service, and what `init --example` copies.

A wheel holds them in `wine_slo/shipped`, where pyproject.toml puts them. In a checkout they are where people edit them.
"""

from pathlib import Path

PACKAGE = Path(__file__).parents[2]
FOLDER = PACKAGE / "shipped" if (PACKAGE / "shipped").is_dir() else PACKAGE.parent
OBJECTIVES, MODEL = "config/slo.yml", "models/model.pkl"  # as the settings have them by default
SCHEMA, PROMETHEUS, SETTINGS = "slo.schema.json", "prometheus.yml", ".env.example"


def read(name: str) -> str:
    """Return the text of a file that comes with the package."""
    return (FOLDER / name).read_text(encoding="utf-8")


def in_place_of(default: str) -> Path | None:
    """Return the file to use where a setting has its default and this folder has no such file; else None."""
    path = FOLDER / default
    return path if default in {OBJECTIVES, MODEL} and not Path(default).exists() and path.exists() else None
