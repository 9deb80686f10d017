"""What a brand asks of texts: each guideline read as rules, or, where none fits, put to a judge; and the tone.

Pure but for what the judge is asked, which :mod:`agents.content_creation` does.
"""
