"""Control of campaigns by people: submit, approve, pause, cancel, retry, fork, resolve, limits."""
