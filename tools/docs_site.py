"""The hook of mkdocs.yml: README and other pages from outside of docs/, and every page's links.

The Markdown is written for the forge, where a link is a path in the repository. Here a link to a
page of the site leads there; one to another file of the repository becomes its name.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "contrib/ansible/README.md": "ansible.md",
}
"""Pages that are not in docs/: where they are in the repository, and on the site."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside; name in the navigation what a pattern stands for."""
    for source, target in OUTSIDE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, target, content=text))
    known = [each.src_uri for each in files.documentation_pages()]
    named = {path for path in _paths(config.nav) if "*" not in path}
    config.nav = _expanded(config.nav, known, named)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as the site has them; what is in a fence stays."""
    here = page.file.src_uri
    source = {target: path for path, target in OUTSIDE.items()}.get(here, f"docs/{here}")
    parts = _FENCE.split(markdown)
    parts[::2] = [_LINK.sub(lambda m: _link(m, source, here), part) for part in parts[::2]]
    return "".join(parts)


def _link(match: re.Match[str], source: str, here: str) -> str:
    mark, text, target = match.groups()
    path, hash_, anchor = target.partition("#")
    if "://" in target or not path:
        return match[0]
    place = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if not (ROOT / place).exists():
        raise FileNotFoundError(f"{source}: {target}")
    on_site = OUTSIDE.get(place) or (place[5:] if place.startswith("docs/") else None)
    if on_site is None or (ROOT / place).is_dir():
        return text
    relative = posixpath.relpath(on_site, posixpath.dirname(here) or ".")
    return f"{mark}[{text}]({relative}{hash_}{anchor})"


def _paths(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    entries = nav.values() if isinstance(nav, dict) else nav
    return [path for each in entries for path in _paths(each)]


def _expanded(nav: list[Any], known: list[str], named: set[str]) -> list[Any]:
    """The navigation with each pattern replaced by the pages that nobody names, by name."""
    found: list[Any] = []
    for each in nav:
        if isinstance(each, dict):
            ((title, inner),) = each.items()
            kept = inner if isinstance(inner, str) else _expanded(inner, known, named)
            found += [{title: kept}] if kept else []
        elif "*" in each:
            depth = each.count("/")
            fitting = [k for k in known if fnmatch.fnmatch(k, each) and k.count("/") == depth]
            found += sorted({*fitting} - named)
        else:
            found.append(each)
    return found
