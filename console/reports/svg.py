"""Small plots as SVG text: one scale in each direction, and marks laid on it. The same data give the same text.

Colours, fonts and strokes come from the page's style sheet by class, so a plot follows the light and dark theme.
"""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

Point = tuple[float, float]

SHAPES = {
    "blue": '<circle cx="6" cy="6" r="5"/>',
    "yellow": '<path d="M6 .6 11.4 6 6 11.4 .6 6z"/>',
    "orange": '<path d="M6 .8 11.6 11H.4z"/>',
    "red": '<path d="M3.7.7h4.6l3 3v4.6l-3 3H3.7l-3-3V3.7z"/>',
}
"""The four level shapes (circle, diamond, triangle, octagon) in a box of 12 x 12."""


def level_mark(level: str) -> str:
    """The shape of a level; the word stands beside it on the page, so a reader of the page is not told twice."""
    head = f'<svg class="mark {level}" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">'
    return f"{head}{SHAPES[level]}</svg>"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten apart) from `low` to `high`."""
    if not high > low:
        return [low]
    rough = (high - low) / max(about, 1)
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999))
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [round(number * step, 10) for number in range(first, last + 1)]


def plain(value: float) -> str:
    """A number with up to two decimals and no trailing noughts."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


class Plot:
    """A plot being drawn: data coordinates in, SVG text out.

    Parameters
    ----------
    size
        Width and height in pixels, axes included.
    x, y
        Lowest and highest value shown in each direction.
    margin
        Pixels left, right, top and bottom of the data.
    """

    def __init__(
        self,
        size: tuple[int, int],
        x: tuple[float, float],
        y: tuple[float, float],
        margin: tuple[int, int, int, int] = (32, 8, 8, 30),
    ) -> None:
        self.width, self.height = size
        self.x, self.y = x, y
        self.left, self.right, self.top, self.bottom = margin
        self.marks: list[str] = []

    def at(self, point: Point) -> Point:
        """Pixels of a point of the data; what lies outside is drawn on the edge."""
        across = min(max((point[0] - self.x[0]) / ((self.x[1] - self.x[0]) or 1), 0), 1)
        up = min(max((point[1] - self.y[0]) / ((self.y[1] - self.y[0]) or 1), 0), 1)
        return (
            self.left + across * (self.width - self.left - self.right),
            self.height - self.bottom - up * (self.height - self.top - self.bottom),
        )

    def axes(
        self,
        x_ticks: Sequence[tuple[float, str]],
        y_ticks: Sequence[tuple[float, str]],
        *,
        x_title: str = "",
        y_title: str = "",
    ) -> None:
        """Grid lines with their values, the base line and the titles of both directions."""
        for value, text in y_ticks:
            (x0, y), (x1, _) = self.at((self.x[0], value)), self.at((self.x[1], value))
            self.marks.append(f'<path class="grid" d="M{_n(x0)} {_n(y)}H{_n(x1)}"/>')
            self.text(x0 - 4, y + 3, text, "end")
        base = self.at((self.x[0], self.y[0]))[1]
        for value, text in x_ticks:
            x = self.at((value, self.y[0]))[0]
            self.marks.append(f'<path class="axis" d="M{_n(x)} {_n(base)}v3"/>')
            self.text(x, base + 13, text, "middle")
        self.marks.append(f'<path class="axis" d="M{self.left} {_n(base)}H{self.width - self.right}"/>')
        if x_title:
            middle = (self.left + self.width - self.right) / 2
            self.text(middle, self.height - 3, x_title, "middle", "title")
        if y_title:
            self.text(2, self.top - 14, y_title, "start", "title")

    def text(self, x: float, y: float, words: str, anchor: str = "start", css: str = "tick") -> None:
        """Words at pixels."""
        self.marks.append(f'<text class="{css}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, points: Iterable[Point], css: str) -> None:
        """A line through the points; a NaN in it is a gap."""
        path, pen = [], "M"
        for point in points:
            if np.isnan(point[1]):
                pen = "M"
                continue
            x, y = self.at(point)
            path.append(f"{pen}{_n(x)} {_n(y)}")
            pen = "L"
        self.marks.append(f'<path class="{css}" d="{"".join(path)}"/>')

    def dots(self, points: Iterable[Point], css: str, radius: float = 2.5) -> None:
        """A dot at each point."""
        for point in points:
            if not np.isnan(point[1]):
                x, y = self.at(point)
                self.marks.append(f'<circle class="{css}" cx="{_n(x)}" cy="{_n(y)}" r="{radius:g}"/>')

    def bars(self, bars: Iterable[tuple[float, float, float]], css: str, gap: float = 1.0) -> None:
        """A bar for each (from, to, height); those without height are left out."""
        for start, stop, height in bars:
            (x0, y0), (x1, y1) = self.at((start, self.y[0])), self.at((stop, height))
            if y0 - y1 > 0:
                width = max(x1 - x0 - gap, 0.5)
                shape = f'x="{_n(x0)}" y="{_n(y1)}" width="{_n(width)}" height="{_n(y0 - y1)}"'
                self.marks.append(f'<rect class="{css}" {shape}/>')

    def span(self, start: Point, stop: Point, css: str) -> None:
        """A straight stroke from one point to another: whiskers, diagonals."""
        self.line([start, stop], css)

    def svg(self, label: str) -> str:
        """The finished plot; `label` says in words what it shows."""
        head = f'<svg class="plot" role="img" viewBox="0 0 {self.width} {self.height}" width="{self.width}"'
        return f'{head} height="{self.height}" aria-label="{escape(label)}">{"".join(self.marks)}</svg>'


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
