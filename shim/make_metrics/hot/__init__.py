"""The hot path: what runs for each recipe line. Imports only what the interpreter has built in."""
