"""LinkedIn sponsored content: begin with spec.py."""
