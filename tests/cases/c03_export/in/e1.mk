export
V := 1
all: ; @env | sort | grep -v ^_=; :
