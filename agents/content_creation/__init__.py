"""Content creation: ask the knowledge base, write each required piece, mend what the checks find."""

from agents.content_creation.agent import ContentCreation

__all__ = ["ContentCreation"]
