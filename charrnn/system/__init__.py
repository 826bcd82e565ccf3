"""The operating system and the hardware."""
