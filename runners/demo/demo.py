"""`forewarn demo`: a simulated city with a past; it goes on faster than the wall and keeps score of itself."""

import gc
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.simulator import City
from console.api.accounts import Accounts
from runners.checkpoints import give_back
from runners.clock import ScaledClock
from runners.demo.actions import Actions
from runners.demo.board import Board
from runners.demo.folder import TARGETS, DemoFolder
from runners.demo.past import fold_past
from runners.demo.stream import Stream
from runners.live.server import Address, LiveServer
from runners.live.site import Live
from runners.live.sources import plan
from runners.metrics import Metrics

PAST_DAYS, PAST_HOURS = 30, 8
LINK_US = 24 * 3_600_000_000
POSTS = (("duty-officer", "duty_officer", "值班员"), ("approver", "approver", "审批员"))
"""Two accounts, because a red warning needs two people: name, role, post."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What to show: `speed` log seconds a wall second, `per_day` matters a day, `days` of past from `start` on.

    `metrics_port` 0: no metrics.
    """

    data: Path
    port: int = 8080
    seed: int = 7
    speed: float = 60.0
    per_day: float = 1500.0
    sensors: int = 2000
    grids: int = 240
    days: int = PAST_DAYS
    start: date = date(2026, 3, 2)
    metrics_port: int = 0


def run_demo(
    demo: Demo,
    progress: Callable[[float], None],
    say: Callable[[str], None],
    *,
    started: Callable[[LiveServer], None] = lambda server: None,
) -> bool:
    """Fold the past, then serve until stopped; False when the engine failed. Raises ConfigError, LogBusy.

    `say` is given the sign-in links once it is ready; `started` the server before that, so that it can be stopped.
    """
    address = Address(port=demo.port)
    city = City(seed=demo.seed, grids=demo.grids, start=demo.start, per_day=demo.per_day, sensors=demo.sensors)
    folder = DemoFolder(demo.data, city)
    begin, until = city.span(demo.days)
    clock = ScaledClock(until, demo.speed)
    board = Board(demo.data, folder.truth, TARGETS, begin, clock.now)

    def tell(share: float) -> None:
        board.take(city.truth())
        progress(share)

    fold_past(plan(folder.config), demo.data, city, days=demo.days, hours=PAST_HOURS, tell=tell)
    # The live site makes its own state from the checkpoint: what the past left behind is given back first.
    gc.collect()
    give_back()
    site = Live(plan(folder.config), demo.data, clock, simulated=True, scores=board)
    with ExitStack() as stack:
        stack.callback(site.stop)
        if demo.metrics_port:
            stack.callback(Metrics(site).serve(demo.metrics_port).stop)
        # Nobody is told of what was only simulated to have happened before.
        site.delivery.pass_over()
        stream = Stream(site, city, until, board.take, Actions(demo.data).fresh)
        stack.callback(stream.stop)
        accounts = Accounts(demo.data / "accounts.db")

        def ready(url: str) -> None:
            clock.run()
            stream.start()
            for link in sign_in_links(accounts, url):
                say(link)

        server = LiveServer(site, address, accounts=accounts, ready=ready)
        started(server)
        return server.serve()


def sign_in_links(accounts: Accounts, url: str) -> list[str]:
    """One link for each of two people; each signs in once, in a browser of its own."""
    links = []
    for name, role, post in POSTS:
        if not accounts.is_known(name):
            accounts.add(name, role, password=secrets.token_urlsafe(24), post=post)  # type: ignore[arg-type]
        links.append(f"{url}/signin#token={accounts.token(name, life_us=LINK_US)}")
    return links
