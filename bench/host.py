"""Watches what the host gives of a core: every 3 ms the same piece of work, at real-time priority, so that nothing of this machine stands before it.
host.py FILE, until it is ended: a line for each, when it ended (s since 1970) and how long it took (us). Needs root. Takes 1 to 2 % of one core."""
import os
import signal
import sys
import time

if os.geteuid() != 0:
    sys.exit("host.py needs root: without a real-time priority it would see what runs beside it.")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
with open(sys.argv[1], "w", buffering=1) as file:
    while True:
        time.sleep(0.003)
        begin = time.perf_counter_ns()
        for _ in range(400):
            pass
        took = time.perf_counter_ns() - begin
        file.write(f"{time.time():.4f} {took // 1000}\n")
