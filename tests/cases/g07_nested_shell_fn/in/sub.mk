a: ; @echo sub '$(shell echo "$$MAKELEVEL"; exit 2)' '$(.SHELLSTATUS)'
