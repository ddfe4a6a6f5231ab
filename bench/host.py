"""Detects when the host slows this machine: times the same piece of work every 3 ms, at real-time priority, so that no other process delays it.
host.py FILE writes a line per sample until SIGTERM: end (Unix time, s) and duration (us). Needs root, and 1 to 2 % of one core."""
import os
import signal
import sys
import time

if os.geteuid() != 0:
    sys.exit("host.py needs root: without real-time priority it would measure the other processes, not the host.")
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
