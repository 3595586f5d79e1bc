"""What the user decided about a project, and the mode that follows. Consent is decided nowhere else."""
