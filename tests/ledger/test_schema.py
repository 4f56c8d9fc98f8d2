"""The tables on both databases."""

from sqlalchemy import create_engine, create_mock_engine
from sqlalchemy.schema import CreateIndex

from dropscribe.ledger import schema

ONLY_ONCE = ("one_live_recognition", "one_open_payment", "one_open_reservation")


def conditions(statements: list[str]) -> dict[str, str]:
    """What the partial unique indexes are restricted to."""
    found = {name: [text for text in statements if name in text] for name in ONLY_ONCE}
    return {name: texts[0].partition("WHERE")[2].strip() for name, texts in found.items() if len(texts) == 1}


def test_postgresql_is_told_the_same_conditions_of_what_may_exist_once_as_sqlite() -> None:
    postgresql: list[str] = []
    engine = create_mock_engine(
        "postgresql://", lambda sql, *_, **__: postgresql.append(str(sql.compile(dialect=engine.dialect)))
    )
    schema.metadata.create_all(engine, checkfirst=False)
    dialect = create_engine("sqlite://").dialect
    indexes = [index for table in schema.metadata.tables.values() for index in table.indexes]

    on_sqlite = conditions([str(CreateIndex(index).compile(dialect=dialect)) for index in indexes])

    assert set(on_sqlite) == set(ONLY_ONCE)
    assert all(on_sqlite.values())
    assert conditions(postgresql).keys() == on_sqlite.keys()
    assert all(conditions(postgresql).values())
