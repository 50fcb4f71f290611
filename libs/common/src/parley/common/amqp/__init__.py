"""RabbitMQ as the services use it: events out with confirms, events in from quorum queues, the log, and questions."""

from parley.common.amqp.bus import Bus
from parley.common.amqp.consume import Consumer, Undeliverable
from parley.common.amqp.follow import LogFollower, LogRecord, end_of, offset_of, start_of
from parley.common.amqp.listen import Listener
from parley.common.amqp.questions import AnswerQuestions, Ask

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
