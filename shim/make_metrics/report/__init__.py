"""What people are shown: tables, schemas and pages, made from events. Pure, except that a table is printed."""
