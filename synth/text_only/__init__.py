"""Questions of text alone, with exact answers and solutions step by step."""
