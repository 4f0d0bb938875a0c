"""Runs argv[1:] in a process group of its own until standard input closes, which it does however the test ends."""

import os
import signal
import subprocess
import sys

# Whoever asks the test to end asks its process group too; the server must go first.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
sys.stdin.read()
try:
    os.killpg(server.pid, signal.SIGKILL)
except ProcessLookupError:
    pass
server.wait()
