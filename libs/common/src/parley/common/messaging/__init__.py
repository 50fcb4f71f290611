"""RabbitMQ as the services use it: events out with confirms, events in from quorum queues, the log, and questions."""

from parley.common.messaging.broadcast import Listener
from parley.common.messaging.broker import Bus
from parley.common.messaging.consumer import Consumer, Undeliverable
from parley.common.messaging.rpc import AnswerQuestions, Ask
from parley.common.messaging.stream_consumer import LogFollower, LogRecord, end_of, offset_of, start_of

__all__ = [
    "AnswerQuestions",
    "Ask",
    "Bus",
    "Consumer",
    "Listener",
    "LogFollower",
    "LogRecord",
    "Undeliverable",
    "end_of",
    "offset_of",
    "start_of",
]
