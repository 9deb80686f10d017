"""Analytics: measure what runs, score it, and say what would make it better."""

from agents.analytics.agent import Analytics

__all__ = ["Analytics"]
