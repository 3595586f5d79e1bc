"""Where our files lie, and how to read and write them safely. All other folders use it."""
