"""A workflow as a picture: for Mermaid, as text, and inside the docstring of its class."""

from hephaestus.diagram.documenting import write_into_docstring
from hephaestus.diagram.flowchart import mermaid
from hephaestus.diagram.layers import text

__all__ = ["mermaid", "text", "write_into_docstring"]
