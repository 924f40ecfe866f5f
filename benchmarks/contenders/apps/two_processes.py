"""Serve an ASGI application with two processes of Foretell's web server: `two_processes.py MODULE:APP PORT`."""

import signal
import socket
import subprocess
import sys

from foretell.webserver.bounds import Bounds
from foretell.webserver.server import serve


def main(app: str, port: str) -> None:
    with socket.create_server(("127.0.0.1", int(port)), backlog=1024) as listener:
        command = [sys.executable, __file__, app, "--fd", str(listener.fileno())]
        children = [subprocess.Popen(command, pass_fds=[listener.fileno()]) for _ in range(2)]
    signal.signal(signal.SIGTERM, lambda *_: [child.terminate() for child in children])
    for child in children:
        child.wait()


if __name__ == "__main__":
    if sys.argv[2] == "--fd":
        serve(sys.argv[1], socket.socket(fileno=int(sys.argv[3])), bounds=Bounds(), on_ready=lambda: None)
    else:
        main(*sys.argv[1:])
