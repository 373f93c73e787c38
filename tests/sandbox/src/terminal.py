"""Runs a program on a terminal of its own.

    terminal.py <program> <argument …>

The program's standard input and error are the terminal: its screen goes to our standard error, and our
standard input is typed. The program's standard output is ours, and so is its exit code.
"""

import os
import pty
import select
import sys
import termios
import time

out = os.dup(1)
child, screen = pty.fork()
if child == 0:
    os.dup2(out, 1)
    os.execv(sys.argv[1], sys.argv[1:])

open_ends = [screen, 0]
while True:
    ready, _, _ = select.select(open_ends, [], [])
    if 0 in ready:
        keys = os.read(0, 4096)
        if not keys:
            open_ends.remove(0)
        else:
            # A person answers once the program listens, which a program that reads single keys does
            # when it has switched the terminal's line editing off.
            while termios.tcgetattr(screen)[3] & termios.ICANON:
                time.sleep(0.001)
            os.write(screen, keys)
    if screen in ready:
        try:
            part = os.read(screen, 4096)
        except OSError:  # Linux: the program has closed its end
            break
        if not part:
            break
        os.write(2, part)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
