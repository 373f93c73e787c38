"""Runs a program, and says what it took: seconds, seconds of its processors, and the peak of its memory in KiB."""
import resource
import subprocess
import sys
import time

began = time.monotonic()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
took = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, took, used.ru_utime + used.ru_stime, used.ru_maxrss)
