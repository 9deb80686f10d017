"""Documents of the user as text, and text as chunks of a size that a question can be answered from."""
