"""The trail, empty: both its ends are where it begins."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_GENESIS = "0" * 64


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "trail",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
    )
    ends = op.create_table(
        "trail_ends",
        sa.Column("name", sa.String(8), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
    )
    genesis = {"seq": 0, "hash": _GENESIS}
    op.bulk_insert(ends, [{"name": "anchor", **genesis}, {"name": "head", **genesis}])
