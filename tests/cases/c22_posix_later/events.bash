0 b 1 1 goal
