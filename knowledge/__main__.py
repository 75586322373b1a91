"""`python -m knowledge ingest DIR | search "…" | status`."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict
from tqdm import tqdm

from knowledge.document import Found
from knowledge.embed import Embedder
from knowledge.errors import KnowledgeError
from knowledge.index import Built, build_index
from knowledge.progress import bars
from knowledge.read import Reading, read_documents
from knowledge.search import HybridSearch
from knowledge.versions import Versions

EPILOG = """\
examples:
  python -m knowledge ingest knowledge/articles
  python -m knowledge search "my bill went up this month, why?"
  python -m knowledge search "and for business customers?" --before "how much is broadband"
  python -m knowledge status --json

An article's front matter may say how customers ask for it; it is found by these and they are never quoted:
  questions:
    - how do I get my money back
    - "where's my refund: it was promised"

exit codes: 0 done; 1 nothing was found to read; 2 the input or the index cannot be used, with one line that says why
"""


class _Place(BaseSettings):
    """Where the bot keeps its data: as it reads it, from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Path("data")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    parsed = _parser().parse_args(arguments)
    root = parsed.data_dir / "knowledge"
    try:
        if parsed.command == "ingest":
            return ingest(parsed.folder, root, rebuild=parsed.rebuild)
        if parsed.command == "search":
            return search(parsed, root)
        return status(root, as_json=parsed.json)
    except KnowledgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def ingest(folder: Path, root: Path, *, rebuild: bool = False) -> int:
    """Make the files below `folder` the knowledge base in `root`."""
    with tqdm(desc="read", disable=None, unit=" files") as bar:
        reading = read_documents(folder, progress=lambda _: bar.update() and None)
    if not reading.documents:
        _print_left_out(reading)
        print(f"No document could be read from {folder}; the knowledge base was left as it is.", file=sys.stderr)
        return 1
    with bars() as stages:
        built = build_index(reading.documents, root, Embedder(threads=os.cpu_count() or 1), stages, rebuild=rebuild)
    _print_left_out(reading)
    print(_summary(reading, built, folder))
    return 0


def search(parsed: argparse.Namespace, root: Path) -> int:
    """Print the best passages for a question."""
    found = HybridSearch.open(root).find(parsed.question, parsed.before, parsed.limit)
    print(json.dumps(asdict(found), ensure_ascii=False, indent=1) if parsed.json else _found(found))
    return 0


def status(root: Path, *, as_json: bool) -> int:
    """Open and check the version in use, and say what it holds."""
    HybridSearch.open(root).close()
    versions = Versions(root)
    manifest = asdict(versions.manifest(versions.current()))
    held = {
        **manifest,
        "folder": str(versions.folder / versions.current()),
        "bytes": _size(versions.folder / versions.current()),
    }
    kept = sorted(folder.name for folder in versions.folder.iterdir())
    print(json.dumps({**held, "kept": kept}, indent=1) if as_json else _status(held, kept))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m knowledge",
        description="The knowledge base: read help articles, search them, and see what is there.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--data-dir",
        type=Path,
        default=_Place().data_dir,
        help="folder that holds the knowledge base, as the bot's DATA_DIR (default: DATA_DIR in the environment or .env, "
        "or ./data)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser(
        "ingest",
        parents=[shared],
        help="make a folder of articles the knowledge base",
        description="Make the articles below DIR the knowledge base: .md .txt .html .pdf .docx .csv .jsonl. Unchanged ones "
        "cost nothing, removed ones disappear. A running bot goes over to the new version by itself; when anything fails, "
        "the old one stays in use.",
    )
    one.add_argument("folder", type=Path, metavar="DIR", help="folder of articles, read with all folders in it")
    one.add_argument("--rebuild", action="store_true", help="build all of it anew, also when nothing seems to have changed")
    one = commands.add_parser("search", parents=[shared], help="show what the bot would find for a question")
    one.add_argument("question", help="the question, in quotes")
    one.add_argument(
        "--before", action="append", default=[], metavar="TEXT", help="something said before; repeat, oldest first"
    )
    one.add_argument("--limit", type=_positive, default=8, help="passages to show (default: 8)")
    one.add_argument("--json", action="store_true", help="print JSON")
    one = commands.add_parser("status", parents=[shared], help="check the knowledge base and say what it holds")
    one.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _print_left_out(reading: Reading) -> None:
    for remark in reading.remarks:
        print(f"note: {remark.path}: {remark.text}")
    for skipped in reading.skipped:
        print(f"left out: {skipped.path}: {skipped.reason}")


def _summary(reading: Reading, built: Built, folder: Path) -> str:
    manifest = built.manifest
    internal = sum(document.internal for document in reading.documents)
    read = f"Read {len(reading.documents)} documents ({internal} internal) from {folder}; left out {len(reading.skipped)}."
    if not built.changed:
        return f"{read}\nNothing has changed: version {manifest.id} stays in use."
    passages = manifest.passages + manifest.internal_passages
    known = f"of which {manifest.reused_passages} were known"
    return (
        f"{read}\n{passages} passages ({manifest.internal_passages} internal), {known}; "
        f"{manifest.seconds:.1f} s.\nVersion {manifest.id} is now in use."
    )


def _found(found: Found) -> str:
    lines = [f"answerability {found.answerability:.2f}, version {found.version}"]
    for place, passage in enumerate(found.passages, start=1):
        path = " > ".join(part for part in (passage.title, passage.heading) if part)
        lines.append(f"\n{place}. {passage.score:.2f}  {path}  [{passage.document}]")
        lines += [f"   {line}" for line in passage.text.splitlines()]
    return "\n".join(lines)


def _status(held: Mapping[str, object], kept: Sequence[str]) -> str:
    return (
        f"version {held['id']}, built {held['built']}, checked and in order\n"
        f"{held['documents']} public documents in {held['passages']} passages, "
        f"{held['internal_documents']} internal in {held['internal_passages']}\n"
        f"{int(str(held['bytes'])) / 1e6:.1f} MB in {held['folder']}\n"
        f"versions kept: {', '.join(kept)}"
    )


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    sys.exit(main())
