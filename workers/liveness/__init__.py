"""Whether the fleet's processes are alive and of use: heartbeats, and the watches over a worker and over its fleet.

A worker that is of no use ends itself, so that its supervisor replaces it (docs/decisions/0020).
"""
