"""Celery and processes: the app, the task families, the supervisor and the command line.

The top layer. Invariant: Celery is imported here, in ``celeryconfig.py`` and in
``orchestration.execution.canvas`` only, so every other package can be read and tested without a broker.
"""
