"""Revisions of the schema, one file each, which are never edited once they have been released."""
