"""A small world that speaks the providers' real protocols on loopback.

The same clients and the same agent code run against it and against the real world; only base URLs
and credentials differ. Invariant: for one seed the same question gets the same answer, whatever the
order in which questions come, and everything made here says that it is from the sandbox.
"""
