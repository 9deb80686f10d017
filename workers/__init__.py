"""Celery and processes: the app, the tasks of each agent, the supervisor and the command line.

This is the top layer. Invariant: Celery is imported here, in ``celeryconfig.py`` and in
``orchestration.execution.canvas`` only, so every other package can be used and tested without a broker.
"""
