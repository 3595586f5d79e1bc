0 all 0 1 goal
