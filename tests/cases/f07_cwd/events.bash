3x 0 all 0 1 goal
0 rm 0 3 goal
6x 0 simple 0 2 goal
