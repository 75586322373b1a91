from contextlib import closing
from pathlib import Path

from bot.settings import Settings
from bot.wiring import open_search
from knowledge.index import build_index
from knowledge.versions import Versions
from tests.knowledge.articles import ARTICLES, age, embedder


async def test_a_start_builds_an_index_of_an_older_format_anew_from_the_articles_it_holds(tmp_path: Path) -> None:
    root = tmp_path / "knowledge"
    build_index(ARTICLES, root, embedder())
    age(root)
    with closing(open_search(Settings(data_dir=tmp_path, articles_dir=tmp_path / "none"), embedder())) as search:
        found = search.find("cancel my mobile plan")
        assert (found.passages[0].document, found.version) == ("cancel-mobile", Versions(root).current())
