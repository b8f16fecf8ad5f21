"""What speaks to AWS: clients are handed in, and what comes back is judged as a template is."""
