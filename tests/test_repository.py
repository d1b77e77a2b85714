"""What the documents say of the repository is true, and what must never be in it is not."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from runners.cli import app

ROOT = Path(__file__).parents[1]
CODE = ("connectors", "pipeline", "models", "alerts", "config", "runners", "console", "benchmarks")
MADE = {".git", ".venv", "out", "data", "build", "dist", "node_modules", "__pycache__", ".cache", ".hypothesis"}
TEXT = {".py", ".md", ".yaml", ".toml", ".txt", ".in", ".lock", ".html", ".css", ".svg", ".json", ".mako", ""}
FENCE = re.compile(r"```.*?```", re.S)


def _files(*suffixes: str) -> list[Path]:
    kept = (p for p in ROOT.rglob("*") if not any(_is_made(part) for part in p.relative_to(ROOT).parts))
    return sorted(p for p in kept if p.is_file() and p.suffix in (suffixes or TEXT))


def _is_made(name: str) -> bool:
    return name in MADE or name.endswith((".egg-info", "_cache"))


def _code() -> list[Path]:
    return [path for path in _files(".py") if path.relative_to(ROOT).parts[0] in CODE]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


# documents ------------------------------------------------------------------------------------------------------------


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _broken_links(page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            yield f"{_name(page)}: {link}"


def test_every_link_in_the_documents_leads_somewhere() -> None:
    assert [link for page in _files(".md") for link in _broken_links(page)] == []


def test_every_file_that_a_document_names_is_there() -> None:
    # NAME stands for any name, and a name right before a block is that of a file the block would make.
    named = re.compile(r"`((?:" + "|".join(CODE) + r"|tests|docs|examples)/(?!\S*NAME)[\w/.-]+\.\w+)`(?!:\n\n```)")
    missing = [
        f"{_name(page)}: {path}"
        for page in _files(".md")
        for path in named.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / path).exists()
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("folder", "below"), [("docs", ""), ("docs", "guide/"), ("docs", "data/"), ("docs/decisions", "")]
)
def test_an_index_lists_every_page_of_its_folder(folder: str, below: str) -> None:
    index = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    pages = {below + path.name for path in (ROOT / folder / below).glob("*.md")} - {"README.md"}
    assert pages <= set(re.findall(r"\]\(([\w/-]+\.md)\)", index))


@pytest.mark.parametrize(
    ("page", "limits"),
    [
        ("README.md", ("never a person", "110, 119, 120, 122")),
        ("README.zh-CN.md", ("不是人", "110、119、120、122", "两人确认")),
    ],
)
def test_the_readme_says_what_it_is_not_for(page: str, limits: tuple[str, ...]) -> None:
    readme = (ROOT / page).read_text(encoding="utf-8")
    for limit in (*limits, "不作为考核、问责、排名依据", "内部关注级，非法定预警"):
        assert limit in readme


def test_every_picture_in_a_readme_is_described() -> None:
    for page in ("README.md", "README.zh-CN.md"):
        pictures = re.findall(r"!\[(.*?)\]\(", (ROOT / page).read_text(encoding="utf-8"))
        assert pictures
        assert all(len(words) > 10 for words in pictures)


def test_the_readme_and_the_integration_run_name_targets_of_make() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = "".join(
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", ".ci/run")
    )
    assert set(re.findall(r"(?:^|`|time )make ([a-z]+)", named, re.M)) <= targets
    assert {"demo", "test", "check"} <= targets


# commands -------------------------------------------------------------------------------------------------------------


def _commands() -> dict[str, Any]:
    top = typer.main.get_command(app)
    assert isinstance(top, TyperGroup)
    found: dict[str, Any] = {}
    for name, command in top.commands.items():
        inner = command.commands.items() if isinstance(command, TyperGroup) else ()
        found |= {f"{name} {sub}": each for sub, each in inner} or {name: command}
    return found


def _typed() -> list[tuple[str, list[str]]]:
    """(page, words) of each command line that a document shows."""
    lines = []
    for page in _files(".md"):
        text = page.read_text(encoding="utf-8")
        shown = re.findall(r"^\$ (?:\.venv/bin/)?forewarn ([^\n#]*)", text, re.M)
        shown += re.findall(r"`(?:\.venv/bin/)?forewarn ([^`\n]*)`", text)
        lines += [(_name(page), shlex.split(line)) for line in shown if not re.search(r"[\[|<]", line)]
    return lines


def test_every_command_is_in_the_list_of_commands() -> None:
    page = (ROOT / "docs" / "guide" / "commands.md").read_text(encoding="utf-8")
    assert [name for name in _commands() if f"`forewarn {name}`" not in page] == []


def test_every_command_and_option_that_a_document_shows_exists() -> None:
    commands, wrong = _commands(), []
    for page, words in _typed():
        command = commands.get(" ".join(words[:2])) or commands.get(" ".join(words[:1]))
        if command is None:
            if not any(name.split()[0] == words[0] for name in commands):
                wrong.append(f"{page}: forewarn {words[0]}")
            continue
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        wrong += [f"{page}: {words[0]} {word}" for word in words if word.startswith("--") and word not in known]
    assert wrong == []


def test_every_command_has_an_example() -> None:
    lacking = [name for name, command in _commands().items() if f"Example: forewarn {name}" not in (command.help or "")]
    assert lacking == []


# what must never be in it ---------------------------------------------------------------------------------------------

HOSTS = ("pypi" + ".org", "python" + "hosted", "npm" + "js", "crates" + ".io", "proxy.go" + "lang")
MACHINE = re.compile(r"(?<![\w.~-])/(?:work|root|home|farm)/")
NEVER_SAID = re.compile(
    "漏报|迟报|谎报|瞒报|聚集|群体性|串联|重复信访|越级|上访|推诿|警报|解除预警|发布|[一二三四]级(?:关注|预警|风险)"
)
INPUT_WORDS = {"connectors/purpose.py", "connectors/redact_names.py"}
"""Words that these look for in records; nothing says them."""


def test_nothing_names_a_registry_or_a_path_of_a_machine() -> None:
    found = []
    for path in _files():
        text = path.read_text(encoding="utf-8")
        if path != Path(__file__) and (any(host in text for host in HOSTS) or MACHINE.search(text)):
            found.append(_name(path))
    assert found == []


def test_no_word_that_blames_people_or_belongs_to_statutory_warnings_is_said() -> None:
    said = [
        f"{_name(path)}: {found.group()}"
        for path in _files()
        if path.relative_to(ROOT).parts[0] != "tests" and _name(path) not in INPUT_WORDS
        for found in NEVER_SAID.finditer(path.read_text(encoding="utf-8"))
    ]
    assert said == []


PEOPLE = frozenset(
    ["person", "persons", "people", "reporter", "reporters", "caller", "callers", "citizen", "citizens", "resident",
     "petitioner", "complainant", "applicant", "household", "phone", "idcard"]
)  # fmt: skip


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def _kept_names(tree: ast.Module) -> Iterator[str]:
    """Names of classes, of their fields, of columns of tables and of fields of rows."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name, body=body):
                yield name
                fields = (each.target for each in body if isinstance(each, ast.AnnAssign))
                yield from (field.id for field in fields if isinstance(field, ast.Name))
            case ast.Call(func=ast.Name(id="Column" | "Table"), args=[ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Tuple(elts=[ast.Constant(value=str(name)), ast.Constant(value=str(kind)), *_]):
                if re.fullmatch(r"[<>|]?[iufVb]\d+", kind):
                    yield name
            case ast.Constant(value=str(text)) if "CREATE TABLE" in text:
                yield from re.findall(r"[(,]\s*([a-z_]+) (?:TEXT|INTEGER|BLOB)", text)


def test_no_class_field_or_column_stands_for_a_person() -> None:
    found = [f"{_name(path)}: {name}" for path in _code() for name in _kept_names(_tree(path)) if _words(name) & PEOPLE]
    assert found == []


def test_a_person_in_a_table_would_be_found() -> None:
    planted = (
        'class Row:\n    caller_id: int\n\nDT = [("reporter", "<i8")]\nt = Column("phone", Text)\nclass PersonKey: ...'
    )
    assert {name for name in _kept_names(ast.parse(planted)) if _words(name) & PEOPLE} == {
        "caller_id", "reporter", "phone", "PersonKey",
    }  # fmt: skip


def test_examples_hold_mappings_and_configurations_and_never_data() -> None:
    kinds = (".yaml", ".md", ".py", ".sh")
    assert [_name(p) for p in (ROOT / "examples").rglob("*") if p.is_file() and p.suffix not in kinds] == []
    assert max(path.stat().st_size for path in (ROOT / "examples").rglob("*.yaml")) < 20_000


def test_the_lock_names_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    packages = re.split(r"\n(?=[a-z])", lock.strip())
    assert "://" not in lock
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


# the code -------------------------------------------------------------------------------------------------------------


PURE = frozenset(
    ["bisect", "collections", "copy", "dataclasses", "enum", "functools", "hashlib", "heapq", "itertools", "json",
     "math", "mmap", "models", "numpy", "operator", "pipeline", "struct", "types", "typing"]
)  # fmt: skip


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_fold_and_models_import_nothing_that_could_read_a_clock_a_file_or_a_socket() -> None:
    found = [
        f"{_name(path)}: {name}"
        for path in _code()
        if path.relative_to(ROOT).parts[0] in ("pipeline", "models") and "fitting" not in path.parts
        for name in _imported(_tree(path))
        if name.split(".")[0] not in PURE
    ]
    assert found == []


def test_fold_and_models_open_and_print_nothing() -> None:
    called = [
        f"{_name(path)}: {node.func.id}"
        for path in _code()
        if path.relative_to(ROOT).parts[0] in ("pipeline", "models")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input")
    ]
    assert called == []


def test_nothing_is_pickled() -> None:
    unsafe = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
    assert [_name(path) for path in _code() for name in _imported(_tree(path)) if name.split(".")[0] in unsafe] == []


def test_every_module_says_what_it_is() -> None:
    assert [_name(path) for path in _code() if not ast.get_docstring(_tree(path))] == []


def test_the_top_of_the_repository_is_as_designed() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in _files() if path.parent != ROOT}
    assert folders <= {*CODE, "tests", "docs", "examples", "docker", ".ci"}


def test_no_package_hides_another() -> None:
    assert [_name(path) for path in (ROOT / "tests").rglob("__init__.py")] == []
    assert not (ROOT / "docker" / "__init__.py").exists()


def test_no_module_is_called_after_nothing() -> None:
    assert [
        _name(p) for p in _code() if p.stem in ("utils", "util", "helpers", "helper", "common", "misc", "base")
    ] == []
