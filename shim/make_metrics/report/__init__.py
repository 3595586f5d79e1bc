"""What people are shown: tables, schemas and pages, made from events. Pure, but for the table's terminal."""
