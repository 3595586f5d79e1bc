3x 0 b 0 1 goal
0 x/y 0 1 goal
