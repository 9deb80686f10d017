"""Facebook and Instagram ads: begin with spec.py."""
