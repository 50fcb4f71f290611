"""Runs all of Parley on one machine: private MongoDB and RabbitMQ servers, the five services, and a supervisor."""
