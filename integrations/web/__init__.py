"""Reading other people's web sites: politely, within robots.txt, and never into private networks."""
