"""One process: the live site, its door and console over HTTP, its metrics, and a clean end.

Plain HTTP binds the loopback address only; anything wider needs a certificate or a named proxy that has one.
"""

import asyncio
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import structlog
import uvicorn

from connectors.intake_http import intake_router
from console.api.accounts import Accounts
from console.api.app import application
from console.api.keys import Keys
from pipeline.errors import ConfigError
from runners.event_log import write_events_plainly
from runners.served import ServedSite

log = structlog.get_logger("forewarn")
GRACE_S = 5


@dataclass(frozen=True, slots=True)
class Address:
    """Where to serve. `certificate`, `key`: of TLS; `proxy`: address of a proxy that ends TLS and is trusted."""

    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    key: Path | None = None
    proxy: str | None = None

    @property
    def is_secure(self) -> bool:
        """Whether browsers come over TLS."""
        return self.certificate is not None or self.proxy is not None

    def check(self) -> None:
        """Raises ConfigError where plain HTTP would leave the machine."""
        if (self.certificate is None) != (self.key is None):
            raise ConfigError(["--tls-cert and --tls-key belong together"])
        if not self.is_secure and not _is_loopback(self.host):
            raise ConfigError(
                [f"--host {self.host}: plain HTTP stays on the loopback address; give --tls-cert and --tls-key,"
                 " or --trusted-proxy with the address of the proxy that ends TLS"]
            )  # fmt: skip


class LiveServer:
    """Serves a live site until it is told to stop. SIGINT and SIGTERM stop it cleanly, SIGHUP reloads."""

    def __init__(
        self,
        site: ServedSite,
        address: Address,
        *,
        accounts: Accounts | None = None,
        ready: Callable[[str], None] | None = None,
    ) -> None:
        address.check()
        self.site, self.address = site, address
        self.accounts = accounts or Accounts(site.data / "accounts.db")
        self.keys = Keys(self.accounts)
        self._ready = ready
        self.app = application(
            site, self.accounts, routers=[intake_router(site.gate, self.keys.soon)], secure=address.is_secure
        )
        self._socket = _bound(address)
        self.port = int(self._socket.getsockname()[1])
        self._server = _Server(self._config(), self._begin_end)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        site.engine.on_end = self._engine_ended

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        scheme = "https" if self.address.certificate else "http"
        host = f"[{self.address.host}]" if ":" in self.address.host else self.address.host
        return f"{scheme}://{host}:{self.port}"

    def serve(self) -> bool:
        """Run until stopped; False when the engine failed. Call in the main thread to have signals obeyed."""
        write_events_plainly()
        with ExitStack() as stack:
            stack.callback(self.accounts.close)
            stack.callback(self.site.stop)
            self.site.start()
            with asyncio.Runner(loop_factory=_loop) as runner:
                runner.run(self._serve())
        return self.site.engine.failed is None

    def stop(self) -> None:
        """End `serve` from another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._server.handle_exit, signal.SIGTERM, None)

    def wait_started(self, timeout_s: float) -> bool:
        """Wait until it serves, in another thread."""
        return self._started.wait(timeout_s)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            self._loop.add_signal_handler(signal.SIGHUP, self._reload)
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.005)
        if self._server.started:
            self._started.set()
            if self._ready is not None:
                self._ready(self.url)
        await serving

    def _config(self) -> uvicorn.Config:
        address = self.address
        return uvicorn.Config(
            self.app,
            loop="none",
            http="httptools",
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=address.proxy is not None,
            forwarded_allow_ips=address.proxy,
            ssl_certfile=address.certificate,
            ssl_keyfile=address.key,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=GRACE_S,
            backlog=2048,
        )

    def _begin_end(self) -> None:
        """Nothing more is taken in, and streams end, so that the server can finish what it is at."""
        self.site.hub.close()
        if self._loop is not None:
            self._loop.create_task(self.app.state.end_streams())

    def _engine_ended(self) -> None:
        if self.site.engine.failed is not None:
            log.error("engine stopped", error=repr(self.site.engine.failed))
            self.stop()

    def _reload(self) -> None:
        asyncio.ensure_future(self._reloaded())  # noqa: RUF006  the loop outlives it, and its end is logged

    async def _reloaded(self) -> None:
        told = await self.site.reload()
        if told["ok"]:
            log.info("configuration reloaded", version=told["version"])
        else:
            log.warning("configuration refused; the old one lives", problems=told["problems"])


class _Server(uvicorn.Server):
    """Tells us when it begins to end, before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, begin_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._begin_end = begin_end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop; a second one does not wait for open requests.

        The signal is not raised again when the server has ended, as uvicorn would: the site has yet to be closed.
        """
        if self.should_exit:
            self.force_exit = True
        else:
            self._begin_end()
        self.should_exit = True


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address.host, address.port))
    except OSError as error:
        bound.close()
        raise ConfigError([f"--port {address.port} on {address.host}: {error.strerror}; choose another"]) from error
    bound.listen(2048)
    bound.set_inheritable(False)
    return bound


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
