0 a 127 1
0 all 2 0 goal
0 b 126 1
0 c 4 1
