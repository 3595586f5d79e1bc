é := ü
all: ; @echo '$(é)' ö; echo ß
