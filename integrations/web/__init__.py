"""Fetching of public web sites, within robots.txt and never from private networks."""
