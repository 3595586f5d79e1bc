# only a comment
X = 1
