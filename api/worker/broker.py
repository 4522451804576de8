"""The broker: it carries what is due now, from the schedulers to the workers, and nothing else.

Due times and retries live in PostgreSQL, so a broker that forgets everything loses nothing:
what was not begun when its lease ends is handed on again. Hence no results, no retries and
no delays here, and the broker is a setting (docs/operations.md).
"""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from dramatiq import Broker, Message, Middleware

from api.bootstrap import application_url
from api.settings import Settings

QUEUE = "webhooks"
DELIVER = "deliver"
REFUSED_KEPT = "1 hour"

Make = Callable[[str, list[Middleware]], Broker]


# Each client is imported where it is used: a process starts sooner without the other two.
def _postgres(url: str, middleware: list[Middleware]) -> Broker:
    from dramatiq_postgres.broker import PostgresBroker

    broker: Broker = PostgresBroker(
        url=url, middleware=middleware, results=False, poll_interval=0.2, purge_maxage=REFUSED_KEPT
    )
    return broker


def _rabbitmq(url: str, middleware: list[Middleware]) -> Broker:
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    return RabbitmqBroker(url=url, middleware=middleware, confirm_delivery=True)


def _redis(url: str, middleware: list[Middleware]) -> Broker:
    from dramatiq.brokers.redis import RedisBroker

    return RedisBroker(  # type: ignore[no-untyped-call]
        url=url, middleware=middleware, namespace="ikomek"
    )


BROKERS: Mapping[str, Make] = {
    "postgresql": _postgres,
    "postgres": _postgres,
    "amqp": _rabbitmq,
    "amqps": _rabbitmq,
    "redis": _redis,
    "rediss": _redis,
    "unix": _redis,
}
"""How each kind of BROKER_URL is spoken to."""


def make_broker(settings: Settings, middleware: Sequence[Middleware] = ()) -> Broker:
    """The broker of the settings, without connecting to it; none named: the embedded one.

    ValueError for a URL of a kind that BROKERS does not hold.
    """
    url = settings.broker_url or application_url(settings)
    scheme = urlsplit(url).scheme
    if scheme not in BROKERS:
        raise ValueError(f"BROKER_URL begins with one of {', '.join(BROKERS)}, not {scheme!r}")
    broker = BROKERS[scheme](url, list(middleware))
    broker.declare_queue(QUEUE)
    return broker


def delivery_message(deliveries: Sequence[str], lease: str) -> Message[None]:
    """The order to make an attempt of each; `lease` names the claim that they stand for."""
    return Message(
        queue_name=QUEUE,
        actor_name=DELIVER,
        args=(list(deliveries), lease),
        kwargs={},
        options={},
    )
