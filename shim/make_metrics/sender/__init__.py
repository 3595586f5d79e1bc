"""The process beside each make that sends the make's events once make has ended."""
