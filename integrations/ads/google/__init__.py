"""Google Ads: begin with spec.py. This version has no client for it."""
