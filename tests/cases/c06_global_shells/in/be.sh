FROM=benv
echo benv-run
