"""What a user decided about a project, and the mode that follows from it. Consent is decided nowhere else."""
