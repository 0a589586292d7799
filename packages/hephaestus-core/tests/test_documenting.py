import ast
import textwrap

import pytest

from hephaestus import InvalidArgument
from hephaestus.diagram import write_into_docstring

GRAPH = "  [*a]\n    │\n    a ──:done──> Done\n    │\n  (Done)"
OTHER = "  [*b]\n    │\n    b ──:done──> Done\n    │\n  (Done)"
NASTY = '  a ──:say "hi" \\n \'\'\' """ \\──> b'

PLAIN = '''\
"""A module."""

from hephaestus import Workflow


class Order(
    Workflow,
    unique="orderid",  # the key
    metadata={"a": lambda x: x},
):
    """Handles an order.

    It takes a while.
    """

    start_step = a
    transitions = {a: {"done": Done}}


class Other(Workflow, unique="other"):
    """Another one: größer."""

    start_step = a
'''

PLAIN_WITH_GRAPH = '''\
"""A module."""

from hephaestus import Workflow


class Order(
    Workflow,
    unique="orderid",  # the key
    metadata={"a": lambda x: x},
):
    """Handles an order.

    It takes a while.

    .. graph of Order: begin, written by hephaestus

    Execution graph::

      [*a]
        │
        a ──:done──> Done
        │
      (Done)

    .. graph of Order: end
    """

    start_step = a
    transitions = {a: {"done": Done}}


class Other(Workflow, unique="other"):
    """Another one: größer."""

    start_step = a
'''


def doc_of(source: str, name: str) -> str:
    """Return the docstring that the class of that qualified name will have."""
    node: ast.Module | ast.ClassDef = ast.parse(source)
    for part in name.split("."):
        inner = [n for n in ast.walk(node) if isinstance(n, ast.ClassDef) and n.name == part]
        (node,) = inner
    return ast.get_docstring(node) or ""


def test_a_graph_is_put_below_what_is_written_there_already() -> None:
    assert write_into_docstring(PLAIN, {"Order": GRAPH}) == PLAIN_WITH_GRAPH


def test_a_second_time_changes_nothing() -> None:
    once = write_into_docstring(PLAIN, {"Order": GRAPH, "Other": OTHER})

    assert once == write_into_docstring(once, {"Order": GRAPH, "Other": OTHER})


def test_a_changed_graph_takes_the_place_of_the_old() -> None:
    once = write_into_docstring(PLAIN, {"Order": OTHER})

    again = write_into_docstring(once, {"Order": GRAPH})

    assert PLAIN_WITH_GRAPH == again


def test_what_is_written_below_the_graph_stays() -> None:
    source = PLAIN_WITH_GRAPH.replace(
        "    .. graph of Order: end\n", "    .. graph of Order: end\n\n    More of it.\n"
    )

    changed = write_into_docstring(source, {"Order": OTHER})

    assert doc_of(changed, "Order").endswith(".. graph of Order: end\n\nMore of it.")
    assert "[*b]" in doc_of(changed, "Order")


def test_a_class_without_a_docstring_gets_one() -> None:
    source = (
        'class Order(Workflow, unique="o"):  # an order\n\n    # begin here\n    start_step = a\n'
    )

    changed = write_into_docstring(source, {"Order": GRAPH})

    assert doc_of(changed, "Order").startswith("The workflow Order.\n\n.. graph of Order: begin")
    assert changed.startswith('class Order(Workflow, unique="o"):  # an order\n    """The')
    assert changed.endswith('    """\n\n\n    # begin here\n    start_step = a\n')


def test_the_options_of_a_class_stay_whole() -> None:
    source = textwrap.dedent("""\
        class Order(
            Workflow,
            # what identifies it
            unique="o",
        ):
            @decorated(
                1
            )
            def helper(self): ...
    """)

    changed = write_into_docstring(source, {"Order": GRAPH})

    assert changed.startswith(source[: source.index("    @decorated")] + '    """The workflow')
    assert changed.endswith(source[source.index("    @decorated") :])


def test_versions_inside_an_umbrella_are_found() -> None:
    source = textwrap.dedent('''\
        class User(Workflow, unique="user", current=2):
            """Makes a user."""

            class V1(Workflow, version=1):
                start_step = a

            class V2(Workflow, version=2):
                """The new way."""

                start_step = b
    ''')

    changed = write_into_docstring(source, {"User.V1": GRAPH, "User.V2": OTHER})

    assert "Makes a user." == doc_of(changed, "User")
    assert "[*a]" in doc_of(changed, "User.V1")
    assert doc_of(changed, "User.V2").startswith("The new way.\n\n.. graph of User.V2: begin")


def test_classes_inside_conditions_are_found() -> None:
    source = textwrap.dedent("""\
        try:
            import x
        except ImportError:
            class Order(Workflow): a = 1
        else:
            with x.y():
                class Other(Workflow):
                    b = 1
    """)

    changed = write_into_docstring(source, {"Order": GRAPH, "Other": OTHER})

    assert "[*a]" in doc_of(changed, "Order")
    assert "[*b]" in doc_of(changed, "Other")


DOCSTRINGS = {
    "one line": '"""Handles it."""',
    "single quotes": "'Handles it.'",
    "double quotes": '"Handles it."',
    "triple single quotes": "'''Handles it.'''",
    "raw": 'r"""Handles it: \\d and \\"""."""',
    "raw single quotes": "r'Handles it: \\d.'",
    "unicode prefix": 'u"""Handles it."""',
    "escapes": '"""Handles \\"it\\": \\\\ \\t \\x41 \\N{BULLET} \\n\\n  and more."""',
    "escapes in one line": "'it\\'s \\x00 \\\\ \"\"\" \\n\\n  and more'",
    "joined": '"""Handles""" " it."',
    "in parentheses": '("Handles "\n     "it.")',
    "a continued line": '"""\\\n    Handles it.\n    """',
    "empty": '""""""',
    "only spaces": '"""   """',
    "a quote at the end": "'Handles \"it\"'",
    "umlauts": '"""Größer und größer."""; x = "ß"',
}
BODIES = {
    "block": "class Order(Workflow):\n    {}\n    a = 1\n",
    "line": "class Order(Workflow): {}; a = 1\n",
    "tabs": "class Order(Workflow):\n\t{}\n\ta = 1\n",
    "nested": "class Outer:\n    class Order(Workflow):\n        {}\n        a = 1\n    b = 2\n",
    "only": "class Order(Workflow):\n    {}",
}


@pytest.mark.parametrize("graph", [GRAPH, NASTY], ids=["graph", "nasty graph"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("doc", DOCSTRINGS.values(), ids=DOCSTRINGS)
def test_any_docstring_keeps_its_text_and_gets_the_graph(doc: str, body: str, graph: str) -> None:
    source = body.format(doc)
    name = "Outer.Order" if "Outer" in body else "Order"

    changed = write_into_docstring(source, {name: graph})

    words, shown = doc_of(changed, name).split(), graph.split()
    assert doc_of(source, name).split() == words[: words.index("..")]
    assert (
        shown
        == words[words.index("graph::") + 1 : len(words) - len(f".. graph of {name}: end".split())]
    )
    assert changed == write_into_docstring(changed, {name: graph})


def test_windows_line_ends_stay() -> None:
    changed = write_into_docstring(PLAIN.replace("\n", "\r\n"), {"Order": GRAPH})

    assert PLAIN_WITH_GRAPH.replace("\n", "\r\n") == changed


def test_a_class_that_is_not_there_is_told() -> None:
    with pytest.raises(InvalidArgument, match="no class 'Ordr'; did you mean 'Order'"):
        write_into_docstring(PLAIN, {"Ordr": GRAPH})


def test_a_source_that_is_no_python_is_told() -> None:
    with pytest.raises(InvalidArgument, match="cannot be parsed"):
        write_into_docstring("class Order(:", {"Order": GRAPH})


@pytest.mark.parametrize(
    "left",
    [
        ".. graph of Order: end",
        ".. graph of Order: begin, written by hephaestus",
        ".. graph of Order: end\n\n    .. graph of Order: begin, written by hephaestus",
    ],
    ids=["only the end", "only the beginning", "turned round"],
)
def test_half_a_graph_is_told_rather_than_guessed(left: str) -> None:
    source = PLAIN.replace("It takes a while.", left)

    with pytest.raises(InvalidArgument, match="remove what is left of the graph"):
        write_into_docstring(source, {"Order": GRAPH})


def test_a_source_without_anything_to_do_stays() -> None:
    assert PLAIN == write_into_docstring(PLAIN, {})
