0 all 0 1 goal
3x 0 all 0 2 goal
