"""Access to outside systems: one module per provider, the error tree, settings and the sandbox.

The bottom layer. Invariant: nothing here knows what a campaign is; foreign exceptions are
converted to :mod:`integrations.errors` at each provider's edge and never travel further.
"""
