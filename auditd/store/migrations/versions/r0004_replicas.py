"""What replicas of one daemon need to know of each other: to begin with, nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables and columns."""
    head = op.create_table(
        "revision",
        sa.Column("name", sa.String(8), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"name": "head", "number": 0}])
    op.create_table(
        "changes",
        sa.Column("kind", _TEXT, primary_key=True),
        sa.Column("key", _TEXT, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_index("changes_number", "changes", ["number"])
    op.create_table(
        "replicas",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("seen_at", sa.Double, nullable=False),
    )
    op.create_table(
        "claims",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("slot", sa.String(27), nullable=False),
    )
    op.create_table(
        "discoveries",
        sa.Column("source", _TEXT, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.add_column("polls", sa.Column("number", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("owner", _TEXT, nullable=False, server_default=""))
