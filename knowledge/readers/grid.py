"""Rows of cells as Markdown: a table, or `name: value` lines where the names stand in the first column."""

from collections.abc import Sequence


def draw_table(rows: Sequence[Sequence[str]], names_first: bool = False) -> str:
    """The rows as a Markdown table headed by the first one; with `names_first` as a list of `name: value`.

    Empty rows and columns are dropped, short rows filled up; a single column becomes a list.
    """
    cells = [[" ".join(cell.split()).replace("|", r"\|") for cell in row] for row in rows]
    width = max((len(row) for row in cells), default=0)
    cells = [row + [""] * (width - len(row)) for row in cells if any(row)]
    used = [column for column in range(width) if any(row[column] for row in cells)]
    cells = [[row[column] for column in used] for row in cells]
    if not cells:
        return ""
    if names_first and len(used) == 2:
        return "\n".join(f"- **{name}**: {value}" if name else f"- {value}" for name, value in cells)
    if len(used) == 1 or len(cells) == 1:
        return "\n".join(f"- {' – '.join(filter(None, row))}" for row in cells)
    return "\n".join([_line(cells[0]), _line(["---"] * len(used)), *map(_line, cells[1:])])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
