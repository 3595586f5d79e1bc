export V := 1
unexport HOME
all: ; @env | sort | grep -v ^_=; :
	@/usr/bin/env
