"""A multilingual set of questions over the knowledge of a made-up shop and a made-up product, and its evaluation."""
