"""The attempts at a delivery: of those that were made before, only their number is known."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the column."""
    op.add_column("deliveries", sa.Column("tried", sa.Text, nullable=False, server_default="[]"))
