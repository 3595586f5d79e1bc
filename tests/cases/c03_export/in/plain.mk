all: ; @env | sort | grep -v ^_=; :
