"""How `make-metrics watch` shows what changes: lines redrawn in a terminal, or a line for each change."""
