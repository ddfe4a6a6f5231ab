"""The service's own time by operation and of all of them, PDI's in it, from its log: of all calls, and of those that met the host at full speed.
own_time.py LOG HOST FROM UNTIL: HOST is what host.py wrote, FROM and UNTIL are seconds since 1970. The log has whole milliseconds; a percentile lies
between two of them as its rank lies among the calls of that millisecond.
The host is slow where three samples in a row or nearly so took over twice as long as usual; what waited meanwhile has 100 ms to be done."""
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
print("  the host was not watched" if moments is None else f"  the host was slow for {100 * slow / (end - begin):.1f} % of the time, {len(moments)} times")
