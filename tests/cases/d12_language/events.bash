3x 0 a 127 1
2x 0 a 127 1 goal
3x 0 all 2 0 goal
3x 0 b 126 1
2x 0 c 4 1
