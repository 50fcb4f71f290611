"""Reports: figures about conversations, from one fact for each conversation and tables of each day."""
