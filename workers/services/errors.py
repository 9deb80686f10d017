"""What can go wrong with the embedded services, told to a person who has to act.

::

    ServiceError                a service can't be started or reached; the text says what to do
    ├── ChildFailed             a child process didn't come up
    ├── StartInterrupted        a stop signal came while things were starting
    ├── HomeInUse               another living process owns this MARKETING_HOME
    └── NoOwner                 nobody owns it (any more), so there is nothing to join

The first three come from the supervisor, which knows nothing of homes.
"""

from __future__ import annotations

from workers.supervisor import ChildFailed, ServiceError, StartInterrupted

__all__ = ["ChildFailed", "HomeInUse", "NoOwner", "ServiceError", "StartInterrupted"]


class HomeInUse(ServiceError):
    """Raised when another living process owns the same MARKETING_HOME."""


class NoOwner(ServiceError):
    """Raised when there is no living, ready owner of MARKETING_HOME to join."""
