a: nope ok ; @echo a
ok: ; @echo ok
