"""What Alembic runs: the steps, on the connection and in the transaction of `migrate`."""

from __future__ import annotations

from alembic import context

from make_metrics.server.storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
context.run_migrations()
