a: ; @echo a; $(error stopped $@)
