"""Photos and labels in, leak-free shards for training, validation and test out."""
