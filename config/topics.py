"""Topics of others: one that is read as a source, and where warnings are told as a sink."""

from typing import Annotated, Literal

from pydantic import Field

from config.cluster import Brokers
from config.value import Value

Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]


class SourceTopic(Value):
    """An existing topic of records. `form`: each value is the JSON of one (`json`), or they are CloudEvents, structured
    or binary (`cloudevents`). `begin`: where a partition that was never read begins. `brokers`: those of `kafka` unless
    given."""

    topic: Topic
    form: Literal["json", "cloudevents"] = "json"
    begin: Literal["earliest", "latest"] = "earliest"
    brokers: Brokers | None = None


class SinkTopic(Value):
    """Warnings as messages, one each: key = the warning's id, headers of CloudEvents. `brokers` as for a source."""

    topic: Topic = "forewarn.warnings"
    brokers: Brokers | None = None


class Sinks(Value):
    """Where notifications go. `json_lines`: the file `notifications.jsonl`; `kafka`: a topic, none unless given."""

    json_lines: bool = True
    kafka: SinkTopic | None = None
