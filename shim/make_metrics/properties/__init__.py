"""Every property that may leave the machine, declared once.

The notice, the transparency page, the schema and the check of messages are all made from these declarations.
"""
