"""What the demo starts ends with it, also when it is killed."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROCESS = "import socket; socket.create_connection(('127.0.0.1', {port})).recv(1)"
DEMO = """
import os, time
from gateway import demo
demo._start({command!r}, dict(os.environ), "log")
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_no_process_stays_behind_when_the_demo_is_killed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        command = [sys.executable, "-c", PROCESS.format(port=listening.getsockname()[1])]
        with subprocess.Popen([sys.executable, "-c", DEMO.format(command=command)], cwd=tmp_path) as killed:
            line, _ = listening.accept()
            killed.kill()
        with line:
            line.settimeout(60)
            assert line.recv(1) == b""
