"""The notebook runs from top to bottom on a run as training leaves it."""

import base64
import io
from pathlib import Path

import nbclient
import nbformat
import tiny_run
from PIL import Image

from gganjax import report

ROOT = Path(__file__).resolve().parents[1]


def test_every_cell_of_the_notebook_runs(tmp_path, monkeypatch):
    tiny_run.make(tmp_path / "runs" / "gesturegan-demo")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "experiments" / "colab.ipynb", as_version=4)
    here = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=here).execute()
    pictures = [output.data["image/png"] for cell in notebook.cells if cell.cell_type == "code"
                for output in cell.outputs if output.output_type == "execute_result"]
    sizes = [Image.open(io.BytesIO(base64.b64decode(picture))).size for picture in pictures]
    pitch = tiny_run.SIZE + report.GAP
    assert [size[0] for size in sizes] == [4 * pitch + report.GAP, 2 * pitch + report.GAP]
    assert 4 * pitch < sizes[1][1] < 6 * pitch  # four rows and a band of titles


def test_the_notebook_is_kept_without_outputs():
    notebook = nbformat.read(ROOT / "experiments" / "colab.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    sources = "\n".join(cell.source for cell in code)
    assert 'gganjax.load("runs/gesturegan-demo")' in sources and "translate(source=photo, target_guidance=skeleton)" in sources
