"""Chat formats: conversations as token ids, and the pixels that belong to them."""
