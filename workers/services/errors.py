"""Errors of the embedded services and of the supervisor, with messages for the operator.

::

    ServiceError                  a service can't be started or reached; the message says what to do
    ├── ChildFailedError          a child process did not become ready
    ├── StartInterruptedError     a stop signal arrived while children were starting
    ├── HomeInUseError            another running process owns this MARKETING_HOME
    └── NoOwnerError              no running process owns it, so there is nothing to attach to

The first three are the supervisor's (:mod:`workers.child`), which doesn't depend on homes.
"""

from __future__ import annotations

from workers.child import ChildFailedError, ServiceError, StartInterruptedError

__all__ = ["ChildFailedError", "HomeInUseError", "NoOwnerError", "ServiceError", "StartInterruptedError"]


class HomeInUseError(ServiceError):
    """Another running process owns the same MARKETING_HOME."""


class NoOwnerError(ServiceError):
    """No process that owns MARKETING_HOME is running and ready."""
