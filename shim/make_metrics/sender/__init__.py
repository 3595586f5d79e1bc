"""The process beside each make that sends its events once make has ended."""
