"""Small pictures as inline SVG, coloured by the page's style sheet: no script, no font, no request."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup, escape

from evals.cost_curve import Curve, Point
from evals.metrics import Figure

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 10, 10, 26


def interval(now: Figure, before: float | None = None) -> Markup:
    """A figure between 0 and 1 with its interval; what it was before is a hollow dot."""
    parts = ['<line class="axis" x1="4" x2="204" y1="9" y2="9"/>']
    parts += [f'<line class="tick" x1="{_at(one)}" x2="{_at(one)}" y1="6" y2="12"/>' for one in (0, 0.25, 0.5, 0.75, 1)]
    width = max(1.5, _at(now.high) - _at(now.low))
    parts.append(f'<rect class="band" x="{_at(now.low)}" y="5" width="{width:.1f}" height="8" rx="2"/>')
    if before is not None:
        parts.append(f'<circle class="before" cx="{_at(before)}" cy="9" r="3.6"/>')
    parts.append(f'<circle class="dot" cx="{_at(now.value)}" cy="9" r="4"/>')
    return _svg(208, 18, parts, f"{now.value:.1%}, between {now.low:.1%} and {now.high:.1%}", "interval")


def reliability(bins: Sequence[tuple[float, Figure | None, int]]) -> Markup:
    """Stated confidence against how often it was right; on the diagonal it is true. Bins are (stated, right, n)."""
    most = max(n for _, _, n in bins)
    parts = [
        *_frame("stated confidence", "right"),
        f'<line class="diagonal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>',
    ]
    for stated, right, n in bins:
        if right is None:
            continue
        x = _x(stated)
        parts.append(f'<line class="whisker" x1="{x}" x2="{x}" y1="{_y(right.low)}" y2="{_y(right.high)}"/>')
        size = 2.5 + 4 * (n / most) ** 0.5
        parts.append(
            f'<circle class="dot" cx="{x}" cy="{_y(right.value)}" r="{size:.1f}"><title>{n} messages</title></circle>'
        )
    return _svg(WIDTH, HEIGHT, parts, "Confidence against how often it was right", "chart")


def cost_curve(curve: Curve) -> Markup:
    """Cost over the threshold, with the point in use and the cheapest."""
    most = max((point.cost for point in curve.points), default=1.0) or 1.0
    path = " ".join(f"{_x(point.threshold)},{_y(point.cost / most)}" for point in curve.points)
    parts = [*_frame("threshold", "cost", f"{most:.0f}"), f'<polyline class="line" points="{path}"/>']
    parts += _pin(curve.best, most, "best", "cheapest")
    parts += _pin(curve.used, most, "used", "in use")
    return _svg(WIDTH, HEIGHT, parts, f"{curve.title}: cost over the threshold", "chart")


def timing(counts: Sequence[tuple[str, int]]) -> Markup:
    """Conversations by when they were handed over, as one bar."""
    total = sum(count for _, count in counts) or 1
    parts, left = [], 0.0
    for name, count in counts:
        width = 600 * count / total
        if count:
            kind = escape(name.replace(" ", "-"))
            parts.append(
                f'<rect class="{kind}" x="{left:.1f}" y="0" width="{width:.1f}" height="26">'
                f"<title>{escape(name)}: {count}</title></rect>"
            )
            if width > 24:
                parts.append(f'<text class="on-bar" x="{left + width / 2:.1f}" y="17.5">{count}</text>')
        left += width
    told = ", ".join(f"{name} {count}" for name, count in counts)
    return _svg(600, 26, parts, told, "timing")


def history(points: Sequence[tuple[datetime, Figure]]) -> Markup:
    """A figure from run to run, with its intervals."""
    many = max(1, len(points) - 1)
    low, high = min(one.low for _, one in points), max(one.high for _, one in points)
    room = max(high - low, 0.02)

    def place(number: int, value: float) -> tuple[float, float]:
        return round(6 + 148 * number / many, 1), round(40 - 34 * (value - low) / room, 1)

    upper = [place(n, one.high) for n, (_, one) in enumerate(points)]
    lower = [place(n, one.low) for n, (_, one) in enumerate(points)]
    middle = [place(n, one.value) for n, (_, one) in enumerate(points)]
    parts = [
        f'<polygon class="band" points="{_points([*upper, *reversed(lower)])}"/>',
        f'<polyline class="line" points="{_points(middle)}"/>',
        *(
            f'<circle class="dot" cx="{x}" cy="{y}" r="2.6"><title>{at:%d %B %Y %H:%M}: {one.value:.1%}</title></circle>'
            for (x, y), (at, one) in zip(middle, points, strict=True)
        ),
    ]
    first, last = points[0][1].value, points[-1][1].value
    return _svg(160, 46, parts, f"from {first:.1%} to {last:.1%} over {len(points)} runs", "history")


def _pin(point: Point, most: float, kind: str, name: str) -> list[str]:
    x, y = _x(point.threshold), _y(point.cost / most)
    anchor = "end" if point.threshold > 0.7 else "start"
    shift = -8 if anchor == "end" else 8
    level = y - 7 if kind == "used" else min(y + 14, HEIGHT - BOTTOM - 4)
    return [
        f'<circle class="{kind}" cx="{x}" cy="{y}" r="4.5"/>',
        f'<text class="{kind}" x="{x + shift}" y="{level:.1f}" text-anchor="{anchor}">{name} {point.threshold:g}</text>',
    ]


def _frame(across: str, up: str, most: str = "100%") -> list[str]:
    return [
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>',
        f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>',
        f'<text x="{LEFT}" y="{HEIGHT - 12}" text-anchor="middle">0</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 12}" text-anchor="end">1</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across)}</text>',
        f'<text x="{LEFT - 4}" y="{TOP + 8}" text-anchor="end">{escape(most)}</text>',
        f'<text x="{LEFT - 4}" y="{HEIGHT - BOTTOM}" text-anchor="end">0</text>',
        f'<text x="{LEFT - 4}" y="{(TOP + HEIGHT - BOTTOM) / 2 + 4}" text-anchor="end">{escape(up)}</text>',
    ]


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)


def _at(value: float) -> float:
    return round(4 + 200 * min(1.0, max(0.0, value)), 1)


def _x(value: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * value, 1)


def _y(value: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(1.0, max(0.0, value)), 1)


def _svg(width: int, height: int, parts: Sequence[str], told: str, kind: str) -> Markup:
    """`told` is what a screen reader says."""
    opening = f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(told)}">'
    return Markup(f"{opening}{''.join(parts)}</svg>")  # noqa: S704 - built above; every word in it is escaped
