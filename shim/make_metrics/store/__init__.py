"""The SQLite store on this machine: runs and events for reports, and messages that wait to be sent."""
