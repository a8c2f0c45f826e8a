"""Pictures: plotly's, and a small one of its own for notebooks that have no plotly."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import plotly.graph_objects

    from ._results import Matrix

#: From paper to plum in equal steps to the eye, the page's colours (`src/palette.ts`).
RAMP = [
    (251, 242, 233),
    (249, 204, 179),
    (252, 166, 143),
    (249, 124, 125),
    (230, 81, 122),
    (193, 53, 124),
    (143, 46, 118),
    (92, 43, 98),
    (45, 32, 63),
]
#: The most cells of a picture in HTML.
MOST_CELLS = 20_000
PANEL = 240


def heatmap(matrix: Matrix, titles: list[str] | None = None) -> plotly.graph_objects.Figure:
    """The matrix as plotly heatmaps: targets down, sources across, tokens as ticks."""
    try:
        import plotly.express as px
    except ImportError as error:
        raise ImportError("Pictures need plotly: pip install 'infoflow[plot]'") from error
    panels = matrix.values.reshape(-1, *matrix.shape[-2:])
    titles = titles or panel_titles(matrix)
    facets: dict[str, Any] = {}
    if len(panels) > 1:
        facets = {"facet_col": 0, "facet_col_wrap": min(3, len(panels)), "facet_row_spacing": 0.06}
    causal = np.where(np.tri(*panels.shape[-2:], dtype=bool), panels, np.nan)
    figure = px.imshow(causal if len(panels) > 1 else causal[0], color_continuous_scale=[f"rgb{colour}" for colour in RAMP], zmin=0, zmax=top_of(panels), **facets)
    tokens = matrix.tokens
    if len(tokens) == panels.shape[-1]:
        ticks = {"tickvals": list(range(len(tokens))), "ticktext": tokens}
        figure.update_xaxes(ticks).update_yaxes(ticks)
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title="Attention patterns", row=1)
    figure.update_yaxes(title="Target token for prediction", col=1)
    figure.for_each_annotation(lambda note: note.update(text=titles[int(note.text.split("=")[1])]))
    rows = -(-len(panels) // 3)
    figure.update_layout(
        template="simple_white",
        width=1050 if len(panels) > 1 else 700,
        height=110 + 270 * rows if len(panels) > 1 else 600,
        title=None if len(panels) > 1 else titles[0],
    )
    return figure


def top_of(panels: np.ndarray) -> float:
    """Where the scale ends: the first rows are next to 1 whatever the prompt is, and would leave no colours for the others."""
    later = panels[:, 3:] if panels.shape[-2] > 4 else panels
    return float(later.max()) or 1.0


def panel_titles(matrix: Matrix) -> list[str]:
    """What stands over each panel, such as ``Layer 3, head 1``."""
    axes = matrix.axes[:-2]
    if not axes:
        return [f"{matrix.model}: all layers"]
    if axes == ("layer",):
        return [f"Layer {layer}" for layer in matrix.layers]
    return [f"Layer {layer}, head {head}" for layer in matrix.layers for head in matrix.heads]


def picture(matrix: Matrix) -> str:
    """The matrix as an SVG that says the numbers on hover."""
    size = matrix.shape[-1]
    panels = matrix.values.reshape(-1, *matrix.shape[-2:])
    if len(panels) * size * (size + 1) // 2 > MOST_CELLS:
        return f"<p>{html.escape(repr(matrix))}: too large to be drawn here; <code>.plot()</code> draws it</p>"
    top = top_of(panels)
    drawn = zip(panels, panel_titles(matrix))
    figures = "".join(_panel(panel, title, matrix.tokens, top) for panel, title in drawn)
    head = html.escape(f"{matrix.model}: {matrix.prompt}")
    return f'<div style="font: 12px sans-serif"><p>{head}</p><div style="display: flex; flex-wrap: wrap; gap: 12px">{figures}</div></div>'


def _panel(values: np.ndarray, title: str, tokens: list[str], top: float) -> str:
    size = len(values)
    labels = tokens if len(tokens) == size and size <= 40 else []
    cell = max(3, min(24, PANEL // size)) if not labels else max(12, min(24, PANEL // size))
    left = 90 if labels else 4
    cells = []
    for target in range(size):
        for source in range(target + 1):
            weight = float(values[target, source])
            said = f"{tokens[source]!r} to {tokens[target]!r}: {weight:.3f}" if len(tokens) == size else f"{weight:.3f}"
            cells.append(
                f'<rect x="{left + source * cell}" y="{target * cell}" width="{cell}" height="{cell}" '
                f'fill="rgb{colour_of(weight / top)}"><title>{html.escape(said)}</title></rect>'
            )
    names = "".join(
        f'<text x="{left - 4}" y="{at * cell + cell * 0.75:.1f}" text-anchor="end" font-size="11" fill="currentColor">{html.escape(token.strip() or token)}</text>'
        for at, token in enumerate(labels)
    )
    side = size * cell
    return (
        f'<figure style="margin: 0"><figcaption>{html.escape(title)}</figcaption>'
        f'<svg width="{left + side}" height="{side}" role="img" aria-label="{html.escape(title)}">{names}{"".join(cells)}</svg></figure>'
    )


def colour_of(share: float) -> tuple[int, int, int]:
    """A colour of the ramp for a share of the largest weight, 0 to 1."""
    at = min(max(share, 0.0), 1.0) ** 0.5 * (len(RAMP) - 1)
    low = min(int(at), len(RAMP) - 2)
    red, green, blue = (round(a + (b - a) * (at - low)) for a, b in zip(RAMP[low], RAMP[low + 1]))
    return red, green, blue
