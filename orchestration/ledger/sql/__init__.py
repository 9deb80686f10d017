"""SQL kept out of Python: the tables, and the functions of the ledger."""
