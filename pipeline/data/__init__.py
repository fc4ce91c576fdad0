"""Photos on their way in: drawing synthetic bins, importing folders."""
