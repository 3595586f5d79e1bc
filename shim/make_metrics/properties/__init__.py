"""Every property that may leave the machine, declared once. Notice, page, schema and checks are made from here."""
