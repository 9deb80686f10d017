"""Stores that campaigns read beside their row: knowledge, lead files, the suppression list."""
