"""Private MongoDB and RabbitMQ servers: located or downloaded, started and stopped without root."""

from parley_dev.servers.mongodb import MongoServer, ensure_mongodb
from parley_dev.servers.rabbitmq import RabbitInstall, RabbitServer, ensure_rabbitmq

__all__ = ["MongoServer", "RabbitInstall", "RabbitServer", "ensure_mongodb", "ensure_rabbitmq"]
