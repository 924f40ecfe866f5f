"""Draws results.svg: requests a second and CPU per request of one row over 32 connections, on logarithmic bars."""

from math import log10
from typing import Any
from xml.sax.saxutils import escape

LEFT, WIDTH, LINE, BAR = 330, 560, 44, 14
STYLE = "text{font:13px system-ui,sans-serif;fill:#333} .n{font-size:11px}"


def plot(compared: dict[str, Any]) -> str:
    found = [(each["title"], each["measured"].get("one, 32")) for each in compared.values()]
    measured = sorted(((title, one) for title, one in found if one), key=lambda pair: -pair[1]["per_s"])
    height = LINE * len(measured) + 50
    bars = "".join(bar(number, title, one) for number, (title, one) in enumerate(measured))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 110}" height="{height}"><style>{STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/><text x="{LEFT}" y="24">one row, 32 connections: '
        '<tspan fill="#2266aa">requests/s</tspan> and <tspan fill="#cc7722">CPU µs per request</tspan>, logarithmic</text>'
        f"{bars}</svg>\n"
    )


def bar(number: int, title: str, one: dict[str, float]) -> str:
    top = 40 + number * LINE
    label = f'<text x="{LEFT - 8}" y="{top + 18}" text-anchor="end">{escape(title)}</text>'
    return (
        label + strip(top, one["per_s"], "#2266aa", f"{one['per_s']:,.0f}/s")
        + strip(top + BAR + 2, one["cpu_us"], "#cc7722", f"{one['cpu_us']:,.0f} µs")
    )  # fmt: skip


def strip(top: float, value: float, colour: str, label: str) -> str:
    length = WIDTH * log10(max(value, 1)) / 5
    return (
        f'<rect x="{LEFT}" y="{top}" width="{length:.0f}" height="{BAR}" fill="{colour}"/>'
        f'<text class="n" x="{LEFT + length + 6:.0f}" y="{top + 11}">{label}</text>'
    )
