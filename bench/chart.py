"""Line charts as SVG, legible on light and dark pages.

A line is told by its name, which stands at its right end in the line's own colour, so there is no
legend to look up.
"""

import math
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

WIDTH, HEIGHT = 860, 470
LEFT, RIGHT, TOP, BOTTOM = 76, 232, 52, 58
NAME_HEIGHT = 16

# Told apart by the colour-blind, too: (on a light page, on a dark one).
COLOURS = [("#0a5fa8", "#6db9ff"), ("#b84400", "#ff9d5c"), ("#00755a", "#3fcfa4"),
           ("#9c2f7f", "#f08fd3"), ("#7a6200", "#e2c84b"), ("#59616b", "#a9b3be"),
           ("#5a3fb0", "#b8a5ff"), ("#a11a2b", "#ff8a93")]


@dataclass
class Axis:
    """`ticks` is [(value, text), …]; without them there are some at round numbers."""
    label: str
    logarithmic: bool = False
    ticks: list = field(default_factory=list)


@dataclass
class Line:
    """`points` is [(x, y), …], at least one, by x. A line that is dashed is beside the point."""
    name: str
    points: list
    dashed: bool = False


class Scale:
    """From values to places on the page."""

    def __init__(self, axis, values, begin, end):
        low, high = min(values), max(values)
        self.change = math.log10 if axis.logarithmic else float
        if not axis.logarithmic:
            low, high = 0 if low >= 0 else low, high * 1.05
        elif not axis.ticks:
            low, high = low / 1.15, high * 1.15
        if low == high:
            low, high = low * 0.5, high * 2 or 1
        self.ticks = axis.ticks or (powers(low, high) if axis.logarithmic else steps(low, high))
        self.ticks = [(value, text) for value, text in self.ticks
                      if low * 0.999 <= value <= high * 1.001]
        self.low, self.high = self.change(low), self.change(high)
        self.begin, self.end = begin, end

    def __call__(self, value):
        share = (self.change(value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


def number(value):
    """12000 is 12 000, 0.5 stays."""
    return f"{value:,.0f}".replace(",", "\u202f") if value >= 1 else f"{value:g}"


def powers(low, high):
    """1, 2 and 5 times the powers of ten, or only those if there would be too many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if len(decades) <= 5 else (1,)
    return [(factor * 10.0 ** decade, number(factor * 10.0 ** decade))
            for decade in decades for factor in factors]


def steps(low, high):
    """Three to seven multiples of a round number."""
    rough = (high - low) / 6
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough)
    return [(step * i, number(step * i))
            for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def spread(places, low, high):
    """Moves places apart, as little as need be, so that names do not overlap."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [places[i] for i in order]
    for _ in range(200):
        for i in range(1, len(moved)):
            lacking = NAME_HEIGHT - (moved[i] - moved[i - 1])
            if lacking > 0:
                moved[i - 1] -= lacking / 2
                moved[i] += lacking / 2
        moved = [min(max(place, low), high) for place in moved]
    return [moved[order.index(i)] for i in range(len(places))]


def colour_rules(page):
    """The colours of lines, their dots and names on that page: 0 a light one, 1 a dark one."""
    return "".join(f".c{i} .line{{stroke:{colours[page]}}}"
                   f".c{i} .dot,.c{i} .name{{fill:{colours[page]}}}"
                   for i, colours in enumerate(COLOURS))


STYLE = ("<style>"
         "text{font:13px system-ui,sans-serif;fill:#1f2328}"
         ".title{font-size:16px;font-weight:600}.page{fill:#ffffff}"
         ".grid{stroke:#d8dee4}.axis{stroke:#57606a}"
         ".line{fill:none;stroke-width:2;stroke-linejoin:round}.dashed{stroke-dasharray:5 4}"
         ".lead{stroke-width:1;stroke-opacity:.5}"
         f"{colour_rules(0)}"
         "@media(prefers-color-scheme:dark){"
         "text{fill:#e6edf3}.page{fill:#0d1117}.grid{stroke:#30363d}.axis{stroke:#8b949e}"
         f"{colour_rules(1)}}}"
         "</style>")


def text(x, y, content, anchor="middle", kind=""):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(content)}</text>'


def stroke(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def frame(x_axis, y_axis, across, up):
    """Ticks, grid and labels."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value, name in across.ticks:
        yield stroke(across(value), TOP, across(value), bottom, "grid")
        yield text(across(value), bottom + 20, name)
    for value, name in up.ticks:
        yield stroke(LEFT, up(value), right, up(value), "grid")
        yield text(LEFT - 8, up(value) + 4, name, "end")
    yield stroke(LEFT, bottom, right, bottom, "axis")
    yield stroke(LEFT, TOP, LEFT, bottom, "axis")
    yield text((LEFT + right) / 2, HEIGHT - 14, x_axis.label)
    yield text(LEFT, TOP - 12, y_axis.label, "start")


def drawn(line, colour, across, up, name_at):
    """The line, a dot at each point, and its name."""
    places = [(across(x), up(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    end_x, end_y = places[-1]
    right = WIDTH - RIGHT
    yield f'<g class="c{colour % len(COLOURS)}">'
    yield f'<polyline points="{path}" class="line{" dashed" if line.dashed else ""}"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="dot"/>' for x, y in places)
    yield stroke(end_x + 4, end_y, right + 14, name_at, "line lead")
    yield text(right + 18, name_at + 4, line.name, "start", "name")
    yield "</g>"


def line_chart(title, x_axis, y_axis, lines):
    """The chart's SVG. There is at least one line."""
    across = Scale(x_axis, [x for line in lines for x, _ in line.points], LEFT, WIDTH - RIGHT)
    up = Scale(y_axis, [y for line in lines for _, y in line.points], HEIGHT - BOTTOM, TOP)
    names_at = spread([up(line.points[-1][1]) for line in lines], TOP, HEIGHT - BOTTOM)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label={quoteattr(title)}>',
             STYLE, f'<rect width="{WIDTH}" height="{HEIGHT}" class="page"/>',
             text(LEFT, 22, title, "start", "title"), *frame(x_axis, y_axis, across, up)]
    for i, line in enumerate(lines):
        parts += drawn(line, i, across, up, names_at[i])
    return "\n".join([*parts, "</svg>", ""])
