"""A business directory as a source of leads for marketing campaigns."""
