"""One module per translation engine: how Parley calls it. `registry.py` of the folder above names them."""
