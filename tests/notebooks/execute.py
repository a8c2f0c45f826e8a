"""
Runs a notebook from top to bottom in its own kernel and writes it with what it put out.

    execute.py NOTEBOOK OUT

Its server is at INFOFLOW_URL. plotly keeps its pictures twice, for whoever runs the notebook and for whoever only looks
at it. A cell that fails fails the run.
"""
import sys
import tempfile

import nbclient
import nbformat

source, target = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
for cell in notebook.cells:
    cell.metadata = {}
metadata = notebook.metadata.copy()
with tempfile.TemporaryDirectory() as elsewhere:  # a kernel sees nothing of the project
    nbclient.NotebookClient(notebook, timeout=180, record_timing=False).execute(cwd=elsewhere)
notebook.metadata = metadata  # without the versions of this machine
nbformat.write(notebook, target)
