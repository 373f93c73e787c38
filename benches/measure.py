"""Runs a program, and says what it took: milliseconds, and the peak of its memory in KiB."""
import resource
import subprocess
import sys
import time

began = time.monotonic()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
took = (time.monotonic() - began) * 1000
print(code, took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
