all:
	@echo cr
	@echo two; :
