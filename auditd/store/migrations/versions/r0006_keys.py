"""The keys with which replicas sign what each of them has to take."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "keys",
        sa.Column("name", sa.String(8), primary_key=True),
        sa.Column("value", sa.String(64), nullable=False),
    )
