"""The `wine-slo` command. Each subcommand imports its own, so that `--help` is there at once."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def main() -> None:
    """Serve a wine classifier, and watch that it keeps its promises."""


@app.command()
def train() -> None:
    """Train the shipped model and write models/model.pkl and its card."""
    from wine_slo import train  # noqa: PLC0415  # scikit-learn takes two seconds

    train.main()


@app.command()
def server(workers: Annotated[int, typer.Option(min=1, help="Processes that share the port.")] = 1) -> None:
    """Serve the API and the form until told to stop."""
    from wine_slo import server  # noqa: PLC0415

    server.main(workers)


@app.command()
def watchdog() -> None:
    """Watch that the promises are kept, and tell people, until told to stop."""
    from wine_slo import watchdog  # noqa: PLC0415

    watchdog.main()
