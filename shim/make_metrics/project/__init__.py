"""A project: the settings its repository declares, its root directory, and what git says about it."""
