"""
Runs a notebook from top to bottom in its own kernel and writes it with what it put out.

    execute.py NOTEBOOK OUT

Its server is at INFOFLOW_URL. plotly keeps its pictures twice, for whoever runs the notebook and for whoever only looks
at it. A cell that fails fails the run.
"""
import queue
import sys
import tempfile

import nbclient
import nbformat

QUIET = 1  # seconds


class PatientClient(nbclient.NotebookClient):
    """
    Deno's kernel may say that it is idle before it hands out a cell's last picture, and a client that takes its word
    leaves then. This one stays until nothing has come for a while.
    """

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        await super()._async_poll_output_msg(parent_msg_id, cell, cell_index)
        while True:
            try:
                message = await self.kc.get_iopub_msg(timeout=QUIET)
            except queue.Empty:
                return
            if message["parent_header"].get("msg_id") == parent_msg_id:
                self.process_message(message, cell, cell_index)


source, target = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
for cell in notebook.cells:
    cell.metadata = {}
metadata = notebook.metadata.copy()
with tempfile.TemporaryDirectory() as elsewhere:  # a kernel sees nothing of the project
    is_deno = notebook.metadata.kernelspec.name == "deno"
    client = PatientClient if is_deno else nbclient.NotebookClient
    client(notebook, timeout=180, record_timing=False).execute(cwd=elsewhere)
notebook.metadata = metadata  # without the versions of this machine
nbformat.write(notebook, target)
