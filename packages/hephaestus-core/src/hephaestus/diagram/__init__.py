"""A workflow as a picture: for Mermaid, as text, as SVG, and inside the docstring of its class."""

from hephaestus.diagram.arrow import Arrow, arrows
from hephaestus.diagram.documenting import write_into_docstring
from hephaestus.diagram.drawing import svg
from hephaestus.diagram.flowchart import mermaid
from hephaestus.diagram.layers import text

__all__ = ["Arrow", "arrows", "mermaid", "svg", "text", "write_into_docstring"]
