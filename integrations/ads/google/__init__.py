"""Google Ads, which this version has no client for: begin with spec.py."""
