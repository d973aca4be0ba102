"""`make notebook`: runs docs/walkthrough.ipynb against the real processes and writes it anew with its outputs.

It ends with 1, and leaves the file as it is, where a cell fails or what came out cannot be shown to people: a warning,
a path of this machine, too many bytes.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

NOTEBOOK = Path(__file__).parents[3] / "docs" / "walkthrough.ipynb"
CELL_SECONDS = 300  # a cell waits for an incident, on a machine that may be busy
LARGEST = 1_500_000  # bytes of the file
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|work|tmp|var|usr|opt|Users|private|mnt|builds)/|\b[A-Z]:\\")

Notebook = dict[str, Any]


def main() -> None:
    """Run the notebook and write it, or report what is wrong and exit with 1."""
    with TemporaryDirectory() as folder:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
            os.environ[name] = folder  # else they write in the home
        os.environ["MPL_IGNORE_SYSTEM_FONTS"] = "1"  # to read all fonts there are takes long, and warns of it
        notebook = run(NOTEBOOK)
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if wrong := [*mistakes(notebook, len(text.encode()))]:
        sys.exit("\n".join(f"{NOTEBOOK.name}: {each}" for each in wrong))
    NOTEBOOK.write_text(text)


def run(path: Path) -> Notebook:
    """Return a notebook with the outputs of a run in a new kernel, and nothing that differs without need."""
    import nbformat  # noqa: PLC0415 - all are of the group `notebook`; the checks below need none of it
    from nbclient import NotebookClient  # noqa: PLC0415
    from nbclient.exceptions import CellExecutionError  # noqa: PLC0415
    from traitlets.config import Config  # noqa: PLC0415

    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    config = Config({"KernelManager": {"transport_encryption": "required"}})  # its ports are open to this machine
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        startup_timeout=CELL_SECONDS,
        resources=resources,
        record_timing=False,
        coalesce_streams=True,
        config=config,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(f"{path.name}: {error}")
    content: Notebook = json.loads(nbformat.writes(notebook))
    content["metadata"] = METADATA
    for cell in content["cells"]:
        cell["metadata"] = {}
    return content


def mistakes(notebook: Notebook, size: int) -> Iterator[str]:
    """Return what is wrong with a notebook that is to be shown, none where all is well.

    Args:
        notebook: Its content.
        size: Of its file, in bytes.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if [cell["execution_count"] for cell in code] != [*range(1, len(code) + 1)]:
        yield "its cells were not run all, once and in order"
    if notebook["metadata"] != METADATA or any(cell["metadata"] for cell in notebook["cells"]):
        yield "it has metadata of an editor or a machine"
    if size > LARGEST:
        yield f"it has {size} bytes, more than {LARGEST}"
    for cell in code:
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                yield f"cell {cell['id']} has an error or a warning"
    for cell in notebook["cells"]:
        if found := MACHINE_PATH.search(text_of(cell)):
            yield f"cell {cell['id']} has the path of a machine: {found[0]}"


def text_of(cell: dict[str, Any]) -> str:
    """Return all that a cell and its outputs say in words; no pictures."""
    outputs = cell.get("outputs", ())
    datas = [data for output in outputs for kind, data in output.get("data", {}).items() if kind.startswith("text/")]
    return "".join(map("".join, (cell["source"], *datas, *(output.get("text", "") for output in outputs))))


if __name__ == "__main__":
    main()
