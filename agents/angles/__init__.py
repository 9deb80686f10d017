"""Angles of ad texts: what a text builds on, what each angle has brought so far, and which ones to try next.

Pure. A choice knows figures only, never a rule of what good text is.
"""
