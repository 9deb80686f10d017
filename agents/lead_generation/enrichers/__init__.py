"""Built-in enrichers, one module each, found through the entry points in ``pyproject.toml``."""
