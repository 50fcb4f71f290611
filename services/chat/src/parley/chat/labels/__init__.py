"""Labels: coloured names that operators give to conversations, of one site or of the whole team."""
