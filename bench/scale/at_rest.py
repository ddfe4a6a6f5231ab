"""Waits until the disk is idle: no flush of 8 KiB to the file given has taken over 15 ms for 15 s. Gives up after three minutes."""
import os
import sys
import time

file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
os.pwrite(file, bytes(1 << 24), 0)
os.fsync(file)
page = os.urandom(8192)
begin = slow = time.monotonic()
number = 0
while time.monotonic() < slow + 15 and time.monotonic() < begin + 180:
    number = (number + 1) % 2048
    before = time.monotonic()
    os.pwrite(file, page, number * 8192)
    os.fdatasync(file)
    if time.monotonic() - before > 0.015:
        slow = time.monotonic()
    time.sleep(0.005)
