import os

print(*(f"{name}={os.environ.get(name)}" for name in ("PWD", "OLDPWD", "SHLVL")))
