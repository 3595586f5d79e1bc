PWD := /somewhere/else
OLDPWD := /$(notdir old)er
SHLVL = 41
all: simple shell
export PWD OLDPWD SHLVL
simple: ; python3 -S env.py
shell: ; python3 -S env.py | cat
