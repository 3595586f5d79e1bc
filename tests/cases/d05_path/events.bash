0 all 0 2 goal
2x 0 all 0 3 goal
6x 0 all 0 6 goal
0 all 2 3 goal
