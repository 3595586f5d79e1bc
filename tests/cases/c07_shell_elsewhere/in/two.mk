SHELL = /bin/bash
