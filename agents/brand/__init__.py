"""What a brand asks of texts: guidelines, read as rules or put to a judge where none fits, and the tone.

Pure but for what the judge is asked, which :mod:`agents.content_creation` does.
"""
