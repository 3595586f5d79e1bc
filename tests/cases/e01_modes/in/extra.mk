x: extra
extra: ; @echo extra
