"""A project: its root directory, the settings that its repository declares, and what git says of it."""
