"""Places that qualified leads are delivered to: a webhook and CRMs, each a client of its own protocol."""
