.DELETE_ON_ERROR:
all: x y z
x: ; echo x > $@; exit 3
y: ; echo y > $@; false
z: ; @echo z > $@; kill -9 $$$$
.PRECIOUS: z
