"""Built-in sources of leads, one module each, found through the entry points in ``pyproject.toml``."""
