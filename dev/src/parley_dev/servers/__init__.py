"""Private MongoDB, RabbitMQ and S3 servers: located or downloaded, started and stopped without root."""

from parley_dev.servers.mongodb import MongoServer, ensure_mongodb
from parley_dev.servers.rabbitmq import RabbitInstall, RabbitServer, ensure_rabbitmq
from parley_dev.servers.seaweedfs import S3Server

__all__ = ["MongoServer", "RabbitInstall", "RabbitServer", "S3Server", "ensure_mongodb", "ensure_rabbitmq"]
