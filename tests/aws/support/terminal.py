"""Runs a program on a terminal of its own and answers what it asks.

    terminal.py <text to wait for> <answer> [<text> <answer> …] -- <program> <argument …>

The program's standard input and error are the terminal, whose screen goes to our standard error; its
standard output is ours. Our exit code is the program's.
"""

import os
import pty
import sys
import termios
import time

split = sys.argv.index("--")
script, command = sys.argv[1:split], sys.argv[split + 1 :]
turns = list(zip(script[::2], script[1::2]))

out = os.dup(1)
child, screen = pty.fork()
if child == 0:
    os.dup2(out, 1)
    os.execv(command[0], command)

seen = b""
while True:
    try:
        part = os.read(screen, 4096)
    except OSError:  # Linux: the program has closed its end
        break
    if not part:
        break
    os.write(2, part)
    seen += part
    if turns and turns[0][0].encode() in seen:
        # A person answers once the program listens, which a program that reads single keys does
        # when it has switched the terminal's line editing off.
        while termios.tcgetattr(screen)[3] & termios.ICANON:
            time.sleep(0.001)
        os.write(screen, turns.pop(0)[1].encode())
        seen = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
