"""Ad platforms behind one protocol (:mod:`integrations.ads.platform`).

:mod:`integrations.ads.registry` finds them. Each has a folder of its own, whose ``spec.py`` is where to begin.
Invariant: importing a spec loads no platform's SDK; a client is built, and its library imported, by the first campaign
that needs it.
"""
