"""Text-only questions with exact answers and step-by-step solutions."""
