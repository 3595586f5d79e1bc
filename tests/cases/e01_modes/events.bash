25x 0 all 0 0 goal
25x 0 rec 0 1
2x 0 src 0 1
18x 0 x 0 2
4x 1 leaf 0 1
