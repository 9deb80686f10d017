"""The row and the unit ledger in Postgres: claims, commits, waiting, the schema."""
