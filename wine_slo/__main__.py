"""`python -m wine_slo`, where the `wine-slo` command is not on PATH."""

from wine_slo.cli import run

run()
