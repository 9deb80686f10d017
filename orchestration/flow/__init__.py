"""Decisions about what comes next, by pure functions: routing, transitions, holds, going back, cancelling."""
