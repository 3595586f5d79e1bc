0 a 0 1
0 a 1 1
0 all 0 0 goal
0 all 0 2 goal
4x 0 all 1 1 goal
0 all 2 0 goal
2x 0 b 0 1
