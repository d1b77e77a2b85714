"""A real Apache Kafka (KRaft) on loopback ports, with one broker or three, for trial, tests and benchmarks.

Needs Java 17 and Maven. The jars are resolved once, into the cache folder. A folder that was used before is used
again with its ports and its data. Not for production: plain text, one machine.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from types import TracebackType

from runners.trial.process import Child, PartMissing, TrialFailed, cache_folder, free_ports

VERSION = "4.1.1"
_JAVA = 17
_STARTED = "Kafka Server started"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>forewarn</groupId><artifactId>trial-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
"""

_LOG4J = f"""appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{{1}} %m%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
logger.start.name=kafka.server.KafkaRaftServer
logger.start.level=INFO
# {_STARTED!r} comes from the last one.
"""

_PROPERTIES = """process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor={copies}
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=4194304
replica.fetch.max.bytes=4194304
replica.lag.time.max.ms=3000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=500
log.segment.delete.delay.ms=500
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=2097152
"""


class TrialKafka:
    """Brokers with the node ids 1 to `brokers`, running from `__enter__` to `__exit__`.

    Parameters
    ----------
    folder : for data, settings and logs. brokers : 1 or 3. heap_mib : of each broker's Java machine.
    port : of the first broker; the next ones follow, then their controllers. Free ports without it.

    Raises PartMissing, TrialFailed.
    """

    def __init__(self, folder: Path, brokers: int = 1, *, heap_mib: int = 384, port: int | None = None) -> None:
        self.folder = folder.absolute()
        self.numbers = tuple(range(1, brokers + 1))
        self._heap, self._port = heap_mib, port
        self._ports: list[int] = []
        self._brokers: dict[int, Child] = {}

    def __enter__(self) -> "TrialKafka":
        """Every broker serves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = self._known_ports() or free_ports(2 * len(self.numbers), self._port)
        classpath = f"{jars()}/*"
        try:
            self._prepare(classpath)
            for number in self.numbers:
                self._brokers[number].start()
            for number in self.numbers:
                self._await(number)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Every broker is gone; the data stay in the folder."""
        self.stop()

    @property
    def bootstrap(self) -> tuple[str, ...]:
        """Addresses of all brokers."""
        return tuple(f"127.0.0.1:{self._ports[number - 1]}" for number in self.numbers)

    def pid(self, number: int) -> int:
        """Process id of a broker."""
        return self._brokers[number].pid

    def kill(self, number: int) -> None:
        """SIGKILL; the broker is gone when this returns."""
        self._brokers[number].end(signal.SIGKILL)

    def stop_broker(self, number: int) -> None:
        """SIGTERM: leads of partitions move, then the broker ends."""
        self._brokers[number].end(signal.SIGTERM)

    def start_broker(self, number: int) -> None:
        """Start a broker that was killed or stopped; it serves again when this returns."""
        self._brokers[number].start()
        self._await(number)

    def pause(self, number: int) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._brokers[number].send(signal.SIGSTOP)

    def resume(self, number: int) -> None:
        """SIGCONT."""
        self._brokers[number].send(signal.SIGCONT)

    def stop(self) -> None:
        """End every broker: asked first, killed when that takes more than a moment."""
        for child in self._brokers.values():
            if child.is_running:
                child.send(signal.SIGCONT)
                child.send(signal.SIGTERM)
        for child in self._brokers.values():
            child.end(signal.SIGTERM, grace_s=3.0)

    def _await(self, number: int) -> None:
        child = self._brokers[number]
        child.ready(lambda: _STARTED in child.said(), within_s=90.0)

    def _known_ports(self) -> list[int]:
        """Those of an earlier use of the folder, so that clients and topics find the brokers where they were."""
        found = []
        for number in self.numbers:
            path = self.folder / f"broker-{number}.properties"
            if not path.is_file():
                return []
            match = re.search(
                r"^listeners=PLAINTEXT://127.0.0.1:(\d+),CONTROLLER://127.0.0.1:(\d+)$", path.read_text(), re.M
            )
            if match is None:
                raise TrialFailed(f"{path} is not of this version; use an empty folder")
            found.append((int(match[1]), int(match[2])))
        return [port for port, _ in found] + [control for _, control in found]

    def _prepare(self, classpath: str) -> None:
        count = len(self.numbers)
        controls = self._ports[count:]
        voters = ",".join(f"{number}@127.0.0.1:{controls[number - 1]}" for number in self.numbers)
        log4j = self.folder / "log4j2.properties"
        log4j.write_text(_LOG4J)
        formats = []
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        for number in self.numbers:
            settings = self.folder / f"broker-{number}.properties"
            data = self.folder / f"broker-{number}"
            settings.write_text(
                _PROPERTIES.format(
                    node=number, voters=voters, port=self._ports[number - 1], control=controls[number - 1],
                    data=data, copies=min(count, 3),
                )
            )  # fmt: skip
            java = _java(classpath, log4j)
            if not (data / "meta.properties").is_file():
                formats.append([*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(settings)])
            command = [
                java[0],
                f"-Xmx{self._heap}m",
                f"-Xms{self._heap // 2}m",
                *java[1:],
                "kafka.Kafka",
                str(settings),
            ]
            log = self.folder / f"broker-{number}.log"
            self._brokers[number] = Child(f"Kafka broker {number}", command, log, self.folder)
        _all(formats)


def jars() -> Path:
    """The folder with Kafka's jars; resolved by Maven when they are not there yet. Raises PartMissing, TrialFailed."""
    _check_java()
    folder = cache_folder() / f"kafka-{VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _resolve(folder)
    return folder


def _resolve(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise PartMissing("Maven is needed once, to resolve Kafka's jars: apt-get install maven")
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        (Path(work) / "pom.xml").write_text(_POM)
        command = [
            maven,
            "-B",
            "-q",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            "-DoutputDirectory=jars",
        ]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise TrialFailed(f"Maven could not resolve Kafka {VERSION}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        (Path(work) / "jars").rename(folder)


def _check_java() -> None:
    java = _program()
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < _JAVA:
        raise PartMissing(f"Kafka {VERSION} needs Java {_JAVA} or later: apt-get install default-jre-headless")


def _program() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java") if home else shutil.which("java")
    if java is None:
        raise PartMissing(f"Java {_JAVA} is not on this machine: apt-get install default-jre-headless")
    return java


def _java(classpath: str, log4j: Path) -> list[str]:
    # Brokers share two cores with everything else: the first compiler alone halves what a start costs, and is as fast.
    return [
        _program(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData",
        "-Djava.awt.headless=true", f"-Dlog4j2.configurationFile={log4j}", "-cp", classpath,
    ]  # fmt: skip


def _all(commands: list[list[str]]) -> None:
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for command in commands]
    for process in running:
        said, _ = process.communicate(timeout=120)
        if process.returncode:
            raise TrialFailed(f"Kafka's storage could not be formatted:\n{said.decode(errors='replace')[-2000:]}")
