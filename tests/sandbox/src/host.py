"""Runs a module as __main__ until standard input ends.

The sandbox holds the other end of standard input. The system closes it when the sandbox is gone,
however it went, and the emulator goes with it.
"""

import os
import runpy
import signal
import sys
import threading


def outlive_nobody():
    sys.stdin.buffer.read()
    os._exit(0)


# Ctrl-C reaches the whole foreground group; the sandbox decides when to stop.
signal.signal(signal.SIGINT, signal.SIG_IGN)
threading.Thread(target=outlive_nobody, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
