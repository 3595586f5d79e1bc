a: ; @echo a
nonsense here
