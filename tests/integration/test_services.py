"""The test services themselves: what other tests stand on."""

import boto3
import psycopg
import redis
from kombu import Connection

from hydroml.entrypoints.settings import Settings


def test_postgres_is_ours_alone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_broker_and_cache_are_separate(broker_url: str, redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    client.set("here", 1)
    with Connection(broker_url) as connection, connection.SimpleQueue("bell") as queue:
        queue.put({"job": 1})
        assert queue.get(timeout=60).payload == {"job": 1}
    assert client.keys("*") == [b"here"]
    client.close()


def test_s3_holds_objects(s3_url: str) -> None:
    bucket, _, rest = s3_url.removeprefix("s3://").partition("/")
    client = boto3.client("s3", endpoint_url=rest.partition("endpoint=")[2])
    client.put_object(Bucket=bucket, Key="prefix/a", Body=b"x")
    assert client.get_object(Bucket=bucket, Key="prefix/a")["Body"].read() == b"x"


def test_settings_name_the_services(settings: Settings) -> None:
    assert not settings.embedded
    assert not settings.embedded_broker
