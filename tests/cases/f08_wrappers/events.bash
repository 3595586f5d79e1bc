6x 0 all 0 2 goal
0 slow -15 1 goal
2x 0 slow 0 1 goal
0 x1 0 1 goal
0 x2 0 1 goal
0 x3 0 1 goal
0 x4 0 1 goal
