"""Gives a command to the process that forks, and is to its parent what the command would be: see `forking.py`."""

import json
import os
import signal
import socket
import sys


def main():
    """Hand over streams, arguments and environment; pass signals on; end with the command's status."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(sys.argv[1])
        asked = {"arguments": sys.argv[2:], "environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109 (pathlib is slow to import)
        message = json.dumps(asked).encode() + b"\n"
        sent = socket.send_fds(server, [message], [0, 1, 2])
        server.sendall(message[sent:])
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda given, _: server.sendall(bytes([given])))
        for stream in (0, 1, 2):
            os.close(stream)  # whoever reads them is to see them end with the command
        told = server.recv(16)
    status = int(told or 1)
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


main()
