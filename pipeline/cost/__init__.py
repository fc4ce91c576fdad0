"""What an execution may cost before it is started, and what it did cost after. Pure: prices in, dollars out."""
