@INCLUDE@
%: ; @echo any $@
