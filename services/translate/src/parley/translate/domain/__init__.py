"""What translation is about, without a word of HTTP, AMQP or MongoDB."""
