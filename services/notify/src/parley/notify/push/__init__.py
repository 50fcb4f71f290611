"""Push notifications: which events cause one, whom they reach, delivery with retries, and operators' devices."""
