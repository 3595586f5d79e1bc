0 all 0 1 goal
5x 0 all 0 2 goal
