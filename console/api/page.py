"""The page itself: the built files of console/web, held in memory, with a strict content security policy."""

import gzip
import mimetypes
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Depends, Request, Response

from console.api.problems import Refusal
from console.api.signing import Public

DIST = Path(__file__).parents[1] / "web" / "dist"
_SMALL = 1_000
_SQUEEZED = frozenset({".html", ".js", ".css", ".json", ".svg", ".txt", ".webmanifest"})
_NOT_BUILT = (
    "<!doctype html><html lang=en><title>forewarn</title>"
    "<p>The page is not built. Run <code>make web</code>, then start again."
    "<p lang=zh>页面尚未构建，请先运行 <code>make web</code>，然后重新启动。"
)


class File(NamedTuple):
    """One built file. `squeezed`: gzip, b"" where it would not help."""

    body: bytes
    squeezed: bytes
    media_type: str
    tag: str
    is_lasting: bool


def files_in(folder: Path) -> dict[str, File]:
    """Built files by their path below the folder; what is not listed here cannot be asked for."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            body = path.read_bytes()
            squeezed = b""
            if path.suffix in _SQUEEZED and len(body) > _SMALL:
                squeezed = gzip.compress(body, 9, mtime=0)
            name = path.relative_to(folder).as_posix()
            media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
            tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
            found[name] = File(body, squeezed, media_type, tag, name.startswith("assets/"))
    return found


def page_router(folder: Path = DIST) -> APIRouter:
    """Serves the built files; any other address is the page's own and gets index.html."""
    router = APIRouter()
    files = files_in(folder)

    @router.get("/{path:path}", include_in_schema=False, dependencies=[Depends(Public())])
    async def page(path: str, request: Request) -> Response:
        if path.startswith("api/"):
            raise Refusal("not_found")
        file = files.get(path)
        if file is None:
            # A file that is not there is a mistake; a view of the page has no suffix.
            if "." in path.rpartition("/")[2]:
                raise Refusal("not_found")
            file = files.get("index.html")
        if file is None:
            return Response(_NOT_BUILT, 503, media_type="text/html")
        return _sent(file, request)

    return router


def _sent(file: File, request: Request) -> Response:
    lasting = "public, max-age=31536000, immutable"
    headers = {"etag": file.tag, "cache-control": lasting if file.is_lasting else "no-cache", "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    if file.squeezed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.squeezed, headers=headers | {"content-encoding": "gzip"}, media_type=file.media_type)
    return Response(file.body, headers=headers, media_type=file.media_type)
