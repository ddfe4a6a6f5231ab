"""Draws the plots in results/ from the CSV files beside them.
plot.py           writes the SVG files
plot.py --check   writes nothing; exits 1 if a file is out of date"""
import csv
import pathlib
import sys

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
WIDTH, HEIGHT = 720, 300
# Mid-tones on a transparent background: at least 3:1 against white and against GitHub's dark grey.
TEXT, TARGET, COLOURS = "#777", "#c2419b", ("#3d85c6", "#d2691e")


def read(name):
    with open(RESULTS / name, newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def column(rows, name):
    return [float(row[name]) for row in rows]


def text(x, y, content, anchor="middle", colour=TEXT, weight="normal"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}">{content}</text>'


def line(points, style):
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" {style}/>'


def ticks(highest):
    """At most six round values from 0 to above the highest."""
    step = next(step for power in range(-2, 5) for step in (10**power, 2 * 10**power, 5 * 10**power) if highest < 5 * step)
    return [step * number for number in range(int(highest / step) + 2)]


class Panel:
    def __init__(self, title, labels, series, target=None, bars=False, left=0, width=WIDTH):
        self.title, self.labels, self.series, self.target, self.bars = title, labels, series, target, bars
        self.left, self.right, self.top, self.bottom = left + 44, left + width - 16, 66, HEIGHT - 40
        self.ticks = ticks(max(max(values) for _, values in series + ([target] if target else [])))
        self.slot = (self.right - self.left) / len(labels)

    def x(self, index):
        return self.left + self.slot * (index + 0.5)

    def y(self, value):
        return self.bottom - (self.bottom - self.top) * value / self.ticks[-1]

    def draw(self):
        yield text(self.left, 20, self.title, "start", weight="bold")
        for value in self.ticks:
            yield line([(self.left, self.y(value)), (self.right, self.y(value))], f'stroke="{TEXT}" stroke-opacity="0.3"')
            yield text(self.left - 6, self.y(value) + 4, f"{value:g}", "end")
        for index, label in enumerate(self.labels):
            for number, part in enumerate(label.split("\n")):
                yield text(self.x(index), self.bottom + 17 + 15 * number, part)
        yield from self.draw_bars() if self.bars else self.draw_lines()
        if self.target:
            name, values = self.target
            points = [(self.left, values[0]), *((self.x(index), value) for index, value in enumerate(values)), (self.right, values[-1])]
            yield line([(x, self.y(value)) for x, value in points], f'stroke="{TARGET}" stroke-width="2" stroke-dasharray="6 4"')
        yield from self.draw_legend()

    def draw_bars(self):
        width = min(40, self.slot * 0.8 / len(self.series))
        for number, (_, values) in enumerate(self.series):
            for index, value in enumerate(values):
                x, y = self.x(index) + width * (number - len(self.series) / 2), self.y(value)
                yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 2:.1f}" height="{self.bottom - y:.1f}" fill="{COLOURS[number]}"/>'
                # Inside at the foot of the bar, where no target line crosses it; above a bar that is too low for that.
                inside = self.bottom - y > 20
                yield text(x + width / 2 - 1, self.bottom - 6 if inside else y - 4, f"{value:.2f}", colour="#fff" if inside else COLOURS[number], weight="bold")

    def draw_lines(self):
        for number, (_, values) in enumerate(self.series):
            points = [(self.x(index), self.y(value)) for index, value in enumerate(values)]
            yield line(points, f'stroke="{COLOURS[number]}" stroke-width="2"')
            yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[number]}"/>' for x, y in points)

    def draw_legend(self):
        x = self.left
        entries = [(name, colour, "") for (name, _), colour in zip(self.series, COLOURS)]
        if self.target:
            entries.append((self.target[0], TARGET, ' stroke-dasharray="6 4"'))
        for name, colour, dashes in entries if len(entries) > 1 else []:
            yield line([(x, 40), (x + 20, 40)], f'stroke="{colour}" stroke-width="3"{dashes}')
            yield text(x + 26, 44, name, "start")
            x += 46 + 6.6 * len(name)


def svg(*panels):
    body = "\n".join(part for panel in panels for part in panel.draw())
    title = "; ".join(panel.title for panel in panels)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'font-family="system-ui, sans-serif" font-size="12" role="img">\n<title>{title}</title>\n{body}\n</svg>\n')


def sales():
    rows = read("sales.csv")
    ceiling = [(float(row["ceiling_before"] or row["ceiling_after"]) + float(row["ceiling_after"])) / 2 for row in rows]
    return svg(Panel("Sales per second, by run (32 tills)", [f"{row['run']}\n{row['date'][5:]}" for row in rows],
                     [("service", column(rows, "sales_per_s")), ("SQL statements alone (ceiling)", ceiling)],
                     ("target: 0.6 of the ceiling", [0.6 * value for value in ceiling])))


def cpu():
    last = read("sales.csv")[-1]
    parts = {"service": "service", "postgres": "PostgreSQL", "redis": "Redis", "pdi": "PDI (canned)", "load": "load driver"}
    return svg(Panel(f"CPU per sale, ms (32 tills, {last['date']})", list(parts.values()), [("CPU", [float(last[f"cpu_{part}_ms"]) for part in parts])], bars=True))


def tills():
    rows = read("tills.csv")
    labels, half = [row["tills"] for row in rows], WIDTH / 2
    return svg(Panel(f"Sales per second, by tills ({rows[0]['date']})", labels, [("sales", column(rows, "sales_per_s"))], width=half),
               Panel("Service CPU per sale (ms), by tills", labels, [("CPU", column(rows, "cpu_service_ms"))], left=half, width=half))


def jobs_p99():
    rows = read("jobs_p99.csv")
    return svg(Panel(f"p99 of the tills during a job / before it ({rows[0]['date']})", [f"{row['operation']}\n{row['job']}" for row in rows],
                     [("service's job", column(rows, "service")), ("the same work in bare SQL", column(rows, "bare_sql"))],
                     ("target: at most 2", [2] * len(rows)), bars=True))


def jobs_time():
    rows = read("jobs_time.csv")
    return svg(Panel("Time per session, service's job / bare SQL, by run", [row["run"] for row in rows],
                     [("expire", column(rows, "expire")), ("archive", column(rows, "archive"))], ("target: at most 1.3", [1.3] * len(rows))))


stale = []
for plot in (sales, cpu, tills, jobs_p99, jobs_time):
    file, content = RESULTS / f"{plot.__name__}.svg", plot()
    if "--check" not in sys.argv:
        file.write_text(content)
    elif not file.exists() or file.read_text() != content:
        stale.append(file.name)
if stale:
    sys.exit(f"Run bench/plot.py: {', '.join(stale)} differs from the figures in bench/results.")
