"""One module for each page: from a request to titles, charts and tables."""
