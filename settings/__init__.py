"""How settings are declared, read and told of: what `config` is made from."""
