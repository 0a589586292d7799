"""What one caller sends is written out; what several send goes as columns."""

from hephaestus_postgres.given import Given

SQL = """
    SELECT * FROM unnest($3::text[], $4::int[]) WITH ORDINALITY AS b(name, size, place)
    JOIN unnest($1::text[],
        $2::timestamptz[]) AS a(name, at) ON a.name = b.name
"""


def text_of(sql: str) -> str:
    return " ".join(sql.split())


def test_what_one_sends_is_written_out_in_the_order_of_the_tables() -> None:
    sql, *values = Given(SQL).filled([("a", 1), ("b", 2)], [("c", 3)], is_one=True)

    assert ["a", 1, "b", 2, "c", 3] == values
    assert text_of(sql) == (
        "SELECT * FROM (VALUES ($5::text, $6::int, 1::bigint)) AS b(name, size, place) "
        "JOIN (VALUES ($1::text, $2::timestamptz), ($3::text, $4::timestamptz)) AS a(name, at) "
        "ON a.name = b.name"
    )


def test_what_several_send_goes_as_columns() -> None:
    sql, *values = Given(SQL).filled([("a", 1)], [("c", 3), ("d", 4)], is_one=False)

    assert [["a"], [1], ["c", "d"], [3, 4]] == values
    assert text_of(sql) == (
        "SELECT * FROM unnest($3::text[], $4::int[]) WITH ORDINALITY AS b(name, size, place) "
        "JOIN unnest($1::text[], $2::timestamptz[]) AS a(name, at) ON a.name = b.name"
    )


def test_many_rows_of_one_go_as_columns_too() -> None:
    rows = [("a", number) for number in range(100)]

    sql, *values = Given(SQL).filled(rows, [("c", 3)], is_one=True)

    assert "unnest($1::text[], $2::timestamptz[])" in sql
    assert 4 == len(values)


def test_tables_that_a_statement_leaves_out_take_no_numbers() -> None:
    sql, *values = Given("SELECT * FROM unnest($14::text[], $15::int[]) AS b(x, y)").filled(
        [("a", 1), ("b", 2)], is_one=False
    )

    assert "SELECT * FROM unnest($1::text[], $2::int[]) AS b(x, y)" == sql
    assert [["a", "b"], [1, 2]] == values
