"""Prints percentiles of the service's own time (PDI's included), by operation and overall, from its log: of all calls, and of those at full host speed.
own_time.py LOG HOST FROM UNTIL: HOST is the file of host.py, FROM and UNTIL are Unix times. The log has whole milliseconds, so percentiles are
interpolated by rank within a millisecond.
The host counts as slow while at least three samples within 15 ms of each other take over twice the median. Calls within the next 100 ms are affected too."""
import bisect
import datetime
import json
import os
import sys

log, host, begin, end = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])


def slow_moments():
    samples = [(float(at), int(took)) for at, took in map(str.split, open(host))] if os.path.exists(host) else []
    samples = [(at, took) for at, took in samples if begin - 1 <= at <= end]
    if not samples:
        return None
    usual = sorted(took for _, took in samples)[len(samples) // 2]
    moments = []
    for at, took in samples:
        if took <= 2 * usual:
            continue
        if moments and at - moments[-1][1] < 0.015:
            moments[-1][1:] = [at, moments[-1][2] + 1]
        else:
            moments.append([at - 0.003, at, 1])
    return [(since, until) for since, until, number in moments if number >= 3]


def calls():
    for line in open(log):
        if '"OperationEnded"' not in line:
            continue
        line = json.loads(line)
        ended = datetime.datetime.fromisoformat(line["timestamp"]).timestamp()
        if begin <= ended <= end:
            yield line["operation"], ended, line["duration"]


def percentiles(durations):
    durations = sorted(durations)

    def at(share):
        rank = len(durations) * share
        value = durations[int(rank)]
        first, last = bisect.bisect_left(durations, value), bisect.bisect_right(durations, value)
        return value + (rank - first) / (last - first)

    return "   ".join(f"p{100 * share:g} {at(share):.1f} ms" for share in (0.5, 0.99, 0.999)) if durations else "none"


moments = slow_moments()
made = {}
for operation, ended, took in calls():
    met = any(ended > since and ended - took / 1000 < until + 0.1 for since, until in moments or [])
    made.setdefault(operation, []).append((took, met))
made["all"] = [call for each in made.values() for call in each]
for operation, each in sorted(made.items()):
    calm = [took for took, met in each if not met]
    print(f"  {operation:<10} {percentiles([took for took, _ in each])};   host at full speed: {percentiles(calm)}, {len(calm)} of {len(each)} calls")
slow = sum(until - since for since, until in moments or [])
print("  the host was not monitored" if moments is None else f"  the host was slow for {100 * slow / (end - begin):.1f} % of the time, {len(moments)} times")
