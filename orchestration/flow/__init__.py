"""What comes next, decided by pure functions: routing, transitions, waits and questions, going back, cancelling."""
