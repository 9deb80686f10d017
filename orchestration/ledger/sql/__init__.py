"""SQL kept out of Python: tables by revision, functions by version."""
