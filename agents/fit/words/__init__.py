"""Words for titles, industries and places, a file a language or a kind, read by :mod:`agents.fit.patterns`."""
