"""Writing the graphs of workflows into the docstrings of their classes."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping

from hephaestus.errors import InvalidArgument
from hephaestus.nearest import did_you_mean

_TRIPLE_QUOTED = re.compile(
    r"""(?P<prefix>[rRuU]?)(?P<quotes>\"{3}|'{3})(?P<body>(?:(?!(?P=quotes))(?:[^\\]|\\.))*)(?P=quotes)""",
    re.DOTALL,
)


def write_into_docstring(source: str, graphs: Mapping[str, str]) -> str:
    """Return a module's source with a graph in the docstring of each class named.

    What is written there already stays; the graph comes below it, between two lines that name
    the class, and takes the place of what an earlier call wrote between them. Nothing else of
    the module changes, or nothing is returned.

    Args:
        source: The text of the module.
        graphs: The qualified name of each class, as `CreateUser.V1`, and its graph as text.

    Raises:
        InvalidArgument: The source is no Python, has no such class, or has one of the two lines
            without the other.
    """
    newline = "\r\n" if source.count("\r\n") == source.count("\n") > 0 else "\n"
    text = source.replace(newline, "\n")
    classes = list(_classes(_parsed(text).body))
    known = [name for name, _ in classes]
    for name in graphs:
        if name not in known:
            raise InvalidArgument(f"the source has no class {name!r}{did_you_mean(name, known)}")
    positions = _Positions(text)
    edits = [
        _Docstring(positions, node, name).edit(graphs[name])
        for name, node in classes
        if name in graphs
    ]
    changed = text
    for begin, end, new in sorted(edits, reverse=True):
        changed = changed[:begin] + new + changed[end:]
    if _essence(text, graphs) != _essence(changed, graphs):
        raise InvalidArgument(f"the docstrings of {', '.join(graphs)} cannot be changed safely")
    return changed.replace("\n", newline)


class _Positions:
    """Where in a text the parser's lines and columns are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def at(self, line: int, column: int) -> int:
        """Return the place of a line, from 1, and a column, in bytes of UTF-8."""
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)

    def leading(self, line: int, column: int) -> str:
        """Return what stands before that place on its line."""
        return self.text[self._starts[line - 1] : self.at(line, column)]

    def line_above_comments(self, line: int) -> int:
        """Return the first of the blank lines and comments right above a line, or the line."""
        while self._lines[line - 2].strip()[:1] in ("", "#"):
            line -= 1
        return line


class _Docstring:
    """The docstring of one class, which may not be there yet."""

    def __init__(self, positions: _Positions, node: ast.ClassDef, name: str) -> None:
        self._positions = positions
        self._node = node
        self._name = name
        self._begin = f".. graph of {name}: begin, written by hephaestus"
        self._end = f".. graph of {name}: end"

    def edit(self, graph: str) -> tuple[int, int, str]:
        """Return what to put where, from one place of the text to another."""
        first = self._node.body[0]
        existing = _docstring(self._node)
        line, column = _place(first)
        leading = self._positions.leading(line, column)
        in_block = not leading.strip()
        indent = leading if in_block else self._class_indent() + "    "
        block = self._block(graph)
        if existing is not None:
            begin = self._positions.at(existing.lineno, existing.col_offset)
            end = self._positions.at(existing.end_lineno or 0, existing.end_col_offset or 0)
            return begin, end, self._revised(existing, begin, end, block, indent)
        body = self._with_block(f"The workflow {self._name}.", _escaped(block, '"""'), indent)
        if in_block:
            begin = self._positions.at(self._positions.line_above_comments(line), 0)
            return begin, begin, f'{indent}"""{body}"""\n\n'
        begin = self._positions.at(line, column)
        return begin, begin, f'"""{body}"""; '

    def _block(self, graph: str) -> str:
        return f"{self._begin}\n\nExecution graph::\n\n{graph}\n\n{self._end}"

    def _class_indent(self) -> str:
        leading = self._positions.leading(self._node.lineno, self._node.col_offset)
        return leading if not leading.strip() else ""

    def _revised(
        self, existing: ast.Constant, begin: int, end: int, block: str, indent: str
    ) -> str:
        literal = _TRIPLE_QUOTED.fullmatch(self._positions.text[begin:end])
        prefix, quotes, body = literal.group("prefix", "quotes", "body") if literal else ("",) * 3
        raw = prefix in ("r", "R")
        if literal is None or (raw and quotes in block):
            prefix, quotes, raw = "", '"""', False
            body = _escaped(str(existing.value), quotes)
        body = self._with_block(body, block if raw else _escaped(block, quotes), indent)
        return f"{prefix}{quotes}{body}{quotes}"

    def _with_block(self, body: str, block: str, indent: str) -> str:
        """Return the docstring's text with the block in it; both as they stand in the source."""
        block = "\n".join(indent + line if line else "" for line in block.split("\n"))
        lines = [line.strip() for line in body.split("\n")]
        begins, ends = lines.count(self._begin), lines.count(self._end)
        if not begins and not ends:
            return f"{body.rstrip()}\n\n{block}\n{indent}"
        if (begins, ends) != (1, 1) or lines.index(self._end) < lines.index(self._begin):
            raise InvalidArgument(
                f"the docstring of {self._name} holds {begins} lines {self._begin!r} and {ends} "
                f"lines {self._end!r}; remove what is left of the graph"
            )
        kept = body.split("\n")
        kept[lines.index(self._begin) : lines.index(self._end) + 1] = [block]
        return "\n".join(kept)


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise InvalidArgument(f"the source cannot be parsed: {error}") from error


def _classes(body: list[ast.stmt], outer: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    """Return the classes that a module can export, by qualified name."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield f"{outer}{node.name}", node
            yield from _classes(node.body, f"{outer}{node.name}.")
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in ("body", "orelse", "finalbody", "handlers"):
                yield from _classes(getattr(node, part, []), outer)


def _docstring(node: ast.ClassDef) -> ast.Constant | None:
    match node.body[0]:
        case ast.Expr(value=ast.Constant(value=str()) as constant):
            return constant
    return None


def _place(node: ast.stmt) -> tuple[int, int]:
    decorators = getattr(node, "decorator_list", [])
    line = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return line, node.col_offset


def _escaped(text: str, quotes: str) -> str:
    """Return a text as it stands between quotes, without a prefix."""
    escaped = text.replace("\\", "\\\\").replace(quotes, "\\" + "\\".join(quotes))
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode()
        for c in escaped
    )


def _essence(source: str, names: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return what must not change: all but the docstrings, and these without the graphs."""
    tree = _parsed(source)
    docs = []
    for name, node in _classes(tree.body):
        existing = _docstring(node)
        if name in names and existing is not None:
            node.body = node.body[1:]
            docs.append(_without_graph(str(existing.value), name))
        elif name in names:
            docs.append(_without_graph(f"The workflow {name}.", name))
    return ast.dump(tree), docs


def _without_graph(doc: str, name: str) -> str:
    begin, end = f".. graph of {name}: begin", f".. graph of {name}: end"
    pattern = rf"^[ \t]*{re.escape(begin)}.*?^[ \t]*{re.escape(end)}$"
    cut = re.sub(pattern, "", doc, flags=re.DOTALL | re.MULTILINE)
    return inspect.cleandoc(cut).rstrip()
