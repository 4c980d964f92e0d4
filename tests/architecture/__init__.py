"""What the architecture promises, checked; and proof that each check notices a breach."""
