"""What a person can tell a campaign: submit, approve, pause, cancel, retry, fork, resolve, limits."""
