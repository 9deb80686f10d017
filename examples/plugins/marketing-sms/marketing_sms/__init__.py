"""Text messages as an agent of marketing campaigns."""
