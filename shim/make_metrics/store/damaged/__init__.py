"""Reading the pages of a damaged store that SQLite no longer reaches."""
