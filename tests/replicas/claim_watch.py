"""Has the database note each slot that is claimed, by its own clock."""

from __future__ import annotations

import psycopg

from tests.replicas.record import Claim

_INSTALL = """
    CREATE TABLE noted_claims (at double precision, name text, slot text);
    CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO noted_claims
            VALUES (extract(epoch FROM clock_timestamp()), NEW.name, NEW.slot);
            RETURN NULL;
        END $$;
    CREATE TRIGGER note_claim AFTER INSERT OR UPDATE ON claims
        FOR EACH ROW EXECUTE FUNCTION note_claim();
    """
_CLAIMS = """
    SELECT at, substr(name, 6), slot FROM noted_claims WHERE name LIKE 'poll %' ORDER BY at
    """


def note_claims(url: str) -> None:
    """From now on; the tables of the daemons are there."""
    with psycopg.connect(url) as connection:
        connection.execute(_INSTALL)


def noted_claims(url: str) -> list[Claim]:
    """All since then, in order."""
    with psycopg.connect(url) as connection:
        return [Claim(*row) for row in connection.execute(_CLAIMS)]
