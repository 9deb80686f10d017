"""Times of the lease under which a worker holds its claims.

Each heartbeat renews the lease. Once a lease has expired the worker counts as dead and its units are claimed by others.
"""

from __future__ import annotations

HEARTBEAT_S = 1.0  #: seconds between two heartbeats of a worker
LEASE_S = 15.0  #: a worker without a heartbeat for this many seconds is dead
GAP_S = 5.0  #: beats further apart than this were interrupted: whoever was interrupted judges nobody for a while
