"""Rows of campaigns and their units in Postgres: claims, commits, deferrals, the schema."""
