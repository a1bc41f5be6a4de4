"""The trail, empty: both its ends are where it begins."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

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
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    ends = op.create_table(
        "trail_ends",
        sa.Column("name", sa.String(8), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    genesis = {"seq": 0, "hash": _GENESIS}
    op.bulk_insert(ends, [{"name": "anchor", **genesis}, {"name": "head", **genesis}])
