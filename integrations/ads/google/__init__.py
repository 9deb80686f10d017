"""Google Ads search campaigns: begin with spec.py."""
