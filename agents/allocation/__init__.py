"""How money is split among arms (platforms, or ads inside one) from what each has brought.

:mod:`agents.budget` is the way in. numpy and scipy are loaded by the first split, not by the import of this package;
`pacing` and `reasons` need neither.
"""
