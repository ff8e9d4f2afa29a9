"""A JupyterLab of the tests' own: one copy of a page in a scratch folder, a random port, a token, nobody's settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

PATIENCE = 90  # seconds until the server must answer
TOKEN = "only-for-the-tests"
OFFLINE = [  # what JupyterLab would otherwise fetch
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]


@contextmanager
def running_lab(notebook: Path, scratch: Path) -> Iterator[str]:
    """Serve a copy of a notebook, as if it had never run; yield the address that opens it, and stop server and kernels afterwards.

    Raises:
        RuntimeError: the server ended or did not answer in time; its log is in the message.
    """
    home, runtime, log = scratch / "home", scratch / "runtime", scratch / "lab.log"
    for folder in (home, runtime):
        folder.mkdir()
    page = nbformat.read(notebook, as_version=4)
    for cell in page.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(page, home / notebook.name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")} | {
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(scratch / "config"),
        "JUPYTER_DATA_DIR": str(scratch / "data"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    server = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={home}",
    ]
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-m", "jupyterlab", *server, *OFFLINE], env=environment, stdout=output, stderr=output)
    try:
        yield f"{_address(process, runtime, log)}lab/tree/{notebook.name}?token={TOKEN}"
    finally:
        process.terminate()  # it ends its kernels first
        process.wait(timeout=30)


def _address(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """The server's address, from the file that it writes once it answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            if content := path.read_text():
                return json.loads(content)["url"]
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")
