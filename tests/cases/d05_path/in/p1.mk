all:
	-tool
	-tool; :
	-heretool
	-heretool; :
	-/bin/echo abs
	-echo simple
