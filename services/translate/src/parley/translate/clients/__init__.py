"""What the service calls outside: translation engines, the language detector, chat's answers."""
